"""The few structures and calls of libpulse that are used, for ctypes.

Only the leading fields that are read are declared; libpulse hands out pointers,
so what follows them does not matter. Layouts are those of libpulse's public
headers (introspect.h, sample.h, channelmap.h, volume.h), stable since 1.0.
"""

import ctypes
from ctypes import POINTER, Structure, c_char_p, c_int, c_uint8, c_uint32, c_uint64, c_void_p

CONTEXT_READY, CONTEXT_FAILED, CONTEXT_TERMINATED = 4, 5, 6
NO_AUTOSPAWN = 1
INVALID_INDEX = 0xFFFFFFFF


class SampleSpec(Structure):
    _fields_ = (("format", c_int), ("rate", c_uint32), ("channels", c_uint8))


class ChannelMap(Structure):
    _fields_ = (("channels", c_uint8), ("map", c_int * 32))


class Volume(Structure):
    _fields_ = (("channels", c_uint8), ("values", c_uint32 * 32))


class DeviceInfo(Structure):
    """pa_source_info and pa_sink_info; ``monitor`` is the sink a source listens to, or a sink's monitor."""

    _fields_ = (
        ("name", c_char_p),
        ("index", c_uint32),
        ("description", c_char_p),
        ("sample_spec", SampleSpec),
        ("channel_map", ChannelMap),
        ("owner_module", c_uint32),
        ("volume", Volume),
        ("mute", c_int),
        ("monitor", c_uint32),
    )


class SourceOutputInfo(Structure):
    _fields_ = (
        ("index", c_uint32),
        ("name", c_char_p),
        ("owner_module", c_uint32),
        ("client", c_uint32),
        ("device", c_uint32),
        ("sample_spec", SampleSpec),
        ("channel_map", ChannelMap),
        ("buffer_usec", c_uint64),
        ("device_usec", c_uint64),
        ("resample_method", c_char_p),
        ("driver", c_char_p),
        ("proplist", c_void_p),
    )


class SinkInputInfo(Structure):
    _fields_ = (
        ("index", c_uint32),
        ("name", c_char_p),
        ("owner_module", c_uint32),
        ("client", c_uint32),
        ("device", c_uint32),
        ("sample_spec", SampleSpec),
        ("channel_map", ChannelMap),
        ("volume", Volume),
        ("buffer_usec", c_uint64),
        ("device_usec", c_uint64),
        ("resample_method", c_char_p),
        ("driver", c_char_p),
        ("mute", c_int),
        ("proplist", c_void_p),
    )


class ServerInfo(Structure):
    _fields_ = (
        ("user_name", c_char_p),
        ("host_name", c_char_p),
        ("server_version", c_char_p),
        ("server_name", c_char_p),
        ("sample_spec", SampleSpec),
        ("default_sink_name", c_char_p),
        ("default_source_name", c_char_p),
    )


DeviceCallback = ctypes.CFUNCTYPE(None, c_void_p, POINTER(DeviceInfo), c_int, c_void_p)
SourceOutputCallback = ctypes.CFUNCTYPE(None, c_void_p, POINTER(SourceOutputInfo), c_int, c_void_p)
SinkInputCallback = ctypes.CFUNCTYPE(None, c_void_p, POINTER(SinkInputInfo), c_int, c_void_p)
ServerCallback = ctypes.CFUNCTYPE(None, c_void_p, POINTER(ServerInfo), c_void_p)
SuccessCallback = ctypes.CFUNCTYPE(None, c_void_p, c_int, c_void_p)

_SIGNATURES: dict[str, tuple[object, tuple[object, ...]]] = {
    "pa_mainloop_new": (c_void_p, ()),
    "pa_mainloop_free": (None, (c_void_p,)),
    "pa_mainloop_get_api": (c_void_p, (c_void_p,)),
    "pa_mainloop_prepare": (c_int, (c_void_p, c_int)),
    "pa_mainloop_poll": (c_int, (c_void_p,)),
    "pa_mainloop_dispatch": (c_int, (c_void_p,)),
    "pa_context_new": (c_void_p, (c_void_p, c_char_p)),
    "pa_context_connect": (c_int, (c_void_p, c_char_p, c_int, c_void_p)),
    "pa_context_get_state": (c_int, (c_void_p,)),
    "pa_context_disconnect": (None, (c_void_p,)),
    "pa_context_unref": (None, (c_void_p,)),
    "pa_context_get_server_info": (c_void_p, (c_void_p, ServerCallback, c_void_p)),
    "pa_context_get_source_info_list": (c_void_p, (c_void_p, DeviceCallback, c_void_p)),
    "pa_context_get_sink_info_list": (c_void_p, (c_void_p, DeviceCallback, c_void_p)),
    "pa_context_get_source_output_info_list": (c_void_p, (c_void_p, SourceOutputCallback, c_void_p)),
    "pa_context_get_sink_input_info_list": (c_void_p, (c_void_p, SinkInputCallback, c_void_p)),
    "pa_context_move_source_output_by_name": (
        c_void_p,
        (c_void_p, c_uint32, c_char_p, SuccessCallback, c_void_p),
    ),
    "pa_context_move_sink_input_by_name": (
        c_void_p,
        (c_void_p, c_uint32, c_char_p, SuccessCallback, c_void_p),
    ),
    "pa_operation_cancel": (None, (c_void_p,)),
    "pa_operation_unref": (None, (c_void_p,)),
    "pa_proplist_gets": (c_char_p, (c_void_p, c_char_p)),
}


def load() -> ctypes.CDLL | None:
    """libpulse with its signatures set; None where it is not installed."""
    try:
        lib = ctypes.CDLL("libpulse.so.0")
        for name, (result, arguments) in _SIGNATURES.items():
            call = getattr(lib, name)
            call.restype, call.argtypes = result, arguments
    except (OSError, AttributeError):
        return None
    return lib
