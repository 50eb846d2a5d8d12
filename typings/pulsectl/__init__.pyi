# What we use of pulsectl, which has no types of its own.

class PulseError(Exception): ...

class SampleSpec:
    rate: int

class _Object:
    index: int
    name: str
    description: str
    sample_spec: SampleSpec
    proplist: dict[str, str]

class ServerInfo:
    default_sink_name: str
    default_source_name: str

class Pulse:
    connected: bool | None
    def __init__(self, client_name: str | None = ..., server: str | None = ..., connect: bool = ...) -> None: ...
    def connect(self) -> None: ...
    def close(self) -> None: ...
    def server_info(self) -> ServerInfo: ...
    def sink_list(self) -> list[_Object]: ...
    def source_list(self) -> list[_Object]: ...
