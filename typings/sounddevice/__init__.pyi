# The part of sounddevice that softphone.audio uses, typed by hand. Not a whole stub.

from collections.abc import Callable
from typing import Any, TypedDict

class PortAudioError(Exception): ...

class CallbackFlags:
    def __bool__(self) -> bool: ...

class DeviceInfo(TypedDict):
    name: str
    index: int
    hostapi: int
    max_input_channels: int
    max_output_channels: int
    default_samplerate: float

class HostApiInfo(TypedDict):
    name: str
    default_input_device: int
    default_output_device: int

class _Defaults:
    device: tuple[int, int]

default: _Defaults

def query_devices() -> list[DeviceInfo]: ...
def query_hostapis() -> tuple[HostApiInfo, ...]: ...
def check_input_settings(
    device: int | None = ..., channels: int = ..., dtype: str = ..., samplerate: float = ...
) -> None: ...
def check_output_settings(
    device: int | None = ..., channels: int = ..., dtype: str = ..., samplerate: float = ...
) -> None: ...
def _initialize() -> None: ...
def _terminate() -> None: ...

class _RawStream:
    active: bool
    latency: float
    def __init__(
        self,
        samplerate: float = ...,
        blocksize: int = ...,
        device: int | None = ...,
        channels: int = ...,
        dtype: str = ...,
        latency: float | str = ...,
        callback: Callable[[Any, int, Any, CallbackFlags], None] = ...,
    ) -> None: ...
    def start(self) -> None: ...
    def stop(self, ignore_errors: bool = True) -> None: ...
    def abort(self, ignore_errors: bool = True) -> None: ...
    def close(self, ignore_errors: bool = True) -> None: ...

class RawInputStream(_RawStream): ...
class RawOutputStream(_RawStream): ...
