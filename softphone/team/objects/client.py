"""boto3 in threads: each call to S3 is one job of a small pool, and its faults become the product's (ADR 063)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from softphone.domain.errors import TeamError

Answer = TypeVar("Answer")
_THREADS = 24
"""calls to S3 at once, each with a connection of its own"""
_CONNECT, _READ = 5, 15
"""seconds that S3 may take to be reached, and to say its next byte"""
_WHOLE = 20.0
"""seconds that a call may take in all, with its tries and its wait for a thread"""
_SLOW = frozenset({"complete_multipart_upload"})
"""S3 puts a long recording together, and says meanwhile that it is at it"""
_ABSENT = frozenset({"404", "NoSuchBucket", "NoSuchKey", "NoSuchVersion", "NoSuchUpload", "NotFound"})


@dataclass(frozen=True, slots=True)
class Storage:
    """Where the bucket is and who reads it. `endpoint` empty: AWS's own, by its region."""

    bucket: str
    access_key: str
    secret_key: str = field(repr=False)
    endpoint: str = ""
    region: str = "us-east-1"
    authority: str = ""
    """a file of certificates (PEM) that the endpoint's is signed by; empty: the system's"""


@cache
def session() -> Any:
    """What S3 looks like, read once: a third of a second."""
    return cast("Any", boto3).session.Session()


class Client:
    """The calls of one bucket. `close` waits for those that are under way."""

    def __init__(self, storage: Storage) -> None:
        self.bucket = storage.bucket
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="s3")
        config = Config(
            signature_version="s3v4",
            connect_timeout=_CONNECT,
            read_timeout=_READ,
            retries={"mode": "standard", "max_attempts": 3},
            max_pool_connections=_THREADS,
            # Each call of ours names its SHA-256. The library's own CRC is unknown to older servers. Ceph before 19 compares
            # a put with what is signed alone, and over TLS the library would not sign the bytes.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"payload_signing_enabled": True, "addressing_style": "path" if storage.endpoint else "auto"},
        )
        # Named here, so neither the environment's keys nor a profile's count.
        self._s3 = session().client(
            "s3",
            aws_access_key_id=storage.access_key,
            aws_secret_access_key=storage.secret_key,
            region_name=storage.region,
            endpoint_url=storage.endpoint or None,
            config=config,
            verify=storage.authority or None,
        )

    async def call(self, what: str, **given: Any) -> dict[str, Any]:
        """One operation on the bucket. Raises TeamError, after `_WHOLE` at the latest; a thread that is at it ends by itself."""
        try:
            async with asyncio.timeout(None if what in _SLOW else _WHOLE):
                return await self.run(lambda: getattr(self._s3, what)(Bucket=self.bucket, **given), what)
        except TimeoutError as error:
            raise TeamError("error.team.storage_unreachable", detail="too slow") from error

    async def run(self, job: Callable[[], Answer], what: str) -> Answer:
        """In a thread of the pool. Raises TeamError: a caller need not know whose library it is."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, _told, job, what)

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._s3.close()


def _told(job: Callable[[], Answer], what: str) -> Answer:
    try:
        return job()
    except ClientError as error:
        told = cast("dict[str, Any]", error.response)
        code = str(told.get("Error", {}).get("Code", ""))
        status = int(told.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if code in _ABSENT:
            raise TeamError("error.team.storage_absent", what=what) from error
        if status >= 500 or code in ("SlowDown", "RequestTimeout"):
            raise TeamError("error.team.storage_unreachable", detail=code or str(status)) from error
        raise TeamError("error.team.storage_refused", what=what, detail=code or str(status)) from error
    except BotoCoreError as error:
        # Its own words name the address, which a log may have; a key or a secret is never among them.
        raise TeamError("error.team.storage_unreachable", detail=type(error).__name__) from error
