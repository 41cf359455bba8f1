"""The two audio files of a session, kept readable while they grow."""

import contextlib
import struct

import numpy as np
import soundfile
from numpy.typing import NDArray

from engine.recorder.folder import SessionFile
from engine.types import Samples

_FLAC_STREAMINFO = 8  # "fLaC" and the block's own header come first
_FLAC_TOTAL = _FLAC_STREAMINFO + 13  # low 36 of the 64 bits at 10: rate 20, channels 3, depth 5, samples 36
_WAV_MAX = 0xFFFFFFFF - 36


def to_pcm16(samples: Samples) -> NDArray[np.int16]:
    """Float audio in [-1, 1] as 16-bit integers; louder is clipped, NaN is silence."""
    clean = np.nan_to_num(np.asarray(samples, dtype=np.float32), nan=0.0, posinf=1.0, neginf=-1.0)
    return np.round(np.clip(clean, -1.0, 1.0) * 32_767).astype("<i2")


class WavWriter:
    """Mono PCM16 WAV. After every ``write`` the header says what the file holds."""

    def __init__(self, file: SessionFile, rate_hz: int) -> None:
        """Begin the new ``file``, which now belongs to this writer. Raises OSError."""
        self._file = file
        self._rate_hz = rate_hz
        self._bytes = 0
        self._file.write(self._header())
        self._file.check()

    def _header(self) -> bytes:
        size = min(self._bytes, _WAV_MAX)
        rate = self._rate_hz
        pcm_format = (16, 1, 1, rate, 2 * rate, 2, 16)
        return struct.pack("<4sI8sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVEfmt ", *pcm_format, b"data", size)

    def write(self, samples: Samples) -> None:
        """Append samples in [-1, 1]. Raises OSError; what was written before stays readable."""
        data = to_pcm16(samples).tobytes()
        self._file.write(data)
        self._file.check()
        self._bytes += len(data)
        self._file.patch(0, self._header())
        self._file.check()

    def cut(self, samples: int) -> None:
        """Keep the first ``samples`` samples, also after a failed write."""
        self._bytes = min(self._bytes, 2 * samples)
        self._file.error = None
        self._file.cut(44 + self._bytes)
        self._file.patch(0, self._header())

    def close(self) -> None:
        self._file.close()


class FlacWriter:
    """Mono 16-bit FLAC; empty until the first ``write``.

    The header's sample count follows the frames that are already in the file.
    The encoder keeps up to one frame (4,096 samples, 0.26 s at 16 kHz) back
    until more arrives; that much is missing if the process is killed.
    """

    def __init__(self, file: SessionFile, rate_hz: int) -> None:
        """Encode into the new ``file``, which now belongs to this writer."""
        self._file = file
        self._encoder = soundfile.SoundFile(
            file, "w", samplerate=rate_hz, channels=1, format="FLAC", subtype="PCM_16"
        )
        self._written = 0
        self._announced = 0
        self._block = 0
        self._total_bits = b""

    def write(self, samples: Samples) -> None:
        """Append samples in [-1, 1]. Raises OSError; what was written before stays readable."""
        try:
            self._encoder.write(to_pcm16(samples))
        except (soundfile.LibsndfileError, AssertionError) as err:
            self._file.check()
            raise OSError(f"the FLAC encoder failed: {err}") from err
        self._file.check()
        self._written += len(samples)
        self._announce()

    def _announce(self) -> None:
        if not self._block:
            self._read_head()
        # libFLAC puts a frame out once one sample more than the frame has come.
        complete = (self._written - 1) // self._block * self._block if self._block and self._written else 0
        if complete == self._announced:
            return
        head = self._total_bits[0] & 0xF0 | complete >> 32 & 0x0F
        self._file.patch(_FLAC_TOTAL, bytes([head]) + struct.pack(">I", complete & 0xFFFFFFFF))
        self._file.check()
        self._announced = complete

    def _read_head(self) -> None:
        here = self._file.tell()
        self._file.seek(0)
        head = self._file.read(_FLAC_TOTAL + 5)
        self._file.seek(here)
        if len(head) == _FLAC_TOTAL + 5 and head[:4] == b"fLaC":
            self._block = struct.unpack_from(">H", head, _FLAC_STREAMINFO)[0]
            self._total_bits = head[_FLAC_TOTAL:]

    def close(self) -> None:
        """Put out the last frame and finish the header. Raises OSError."""
        with contextlib.suppress(soundfile.LibsndfileError):  # the file's own error says more
            self._encoder.close()
        error = self._file.error
        self._file.close()
        if error is not None:
            raise error
