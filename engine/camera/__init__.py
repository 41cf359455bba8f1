"""What the assistant sees: webcams and video files behind one interface."""

from engine.camera.devices import CameraDevice, list_cameras
from engine.camera.ring import FrameRing
from engine.camera.video_file import VideoFileCamera
from engine.camera.webcam import WebCamera

__all__ = ["CameraDevice", "FrameRing", "VideoFileCamera", "WebCamera", "list_cameras"]
