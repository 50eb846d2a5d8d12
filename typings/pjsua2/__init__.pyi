# The part of pjsua2 (pjsua2-python 2.15.1.post1) that softphone.engine.sip uses, typed by hand.
# Names and camelCase are PJSIP's own. Not a whole binding: add here what the code comes to need.

from collections.abc import Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar

_T = TypeVar("_T")

PJMEDIA_DIR_NONE: int
PJMEDIA_DIR_ENCODING: int
PJMEDIA_DIR_DECODING: int
PJMEDIA_DIR_ENCODING_DECODING: int
PJMEDIA_FILE_NO_LOOP: int
PJMEDIA_FORMAT_PCM: int
PJMEDIA_FRAME_TYPE_AUDIO: int
PJMEDIA_FRAME_TYPE_NONE: int
PJMEDIA_TYPE_AUDIO: int
PJMEDIA_SRTP_DISABLED: int
PJMEDIA_SRTP_OPTIONAL: int
PJMEDIA_SRTP_MANDATORY: int
PJMEDIA_SRTP_KEYING_SDES: int
PJSIP_CRED_DATA_PLAIN_PASSWD: int
PJSIP_EVENT_RX_MSG: int
PJSIP_EVENT_TSX_STATE: int
PJSIP_H_ALLOW: int
PJSIP_INV_STATE_CALLING: int
PJSIP_INV_STATE_CONFIRMED: int
PJSIP_INV_STATE_CONNECTING: int
PJSIP_INV_STATE_DISCONNECTED: int
PJSIP_INV_STATE_EARLY: int
PJSIP_INV_STATE_INCOMING: int
PJSIP_INV_STATE_NULL: int
PJSIP_REDIRECT_STOP: int
PJSIP_ROLE_UAC: int
PJSIP_ROLE_UAS: int
PJSIP_TRANSPORT_TCP: int
PJSIP_TRANSPORT_UDP: int
PJSIP_TSX_STATE_COMPLETED: int
PJSIP_TSX_STATE_TERMINATED: int
PJSIP_TP_STATE_CONNECTED: int
PJSIP_TP_STATE_DESTROY: int
PJSUA_CALL_MEDIA_ACTIVE: int
PJSUA_CALL_MEDIA_ERROR: int
PJSUA_CALL_MEDIA_LOCAL_HOLD: int
PJSUA_CALL_MEDIA_NONE: int
PJSUA_CALL_MEDIA_REMOTE_HOLD: int
PJSUA_CALL_UNHOLD: int
PJSUA_DESTROY_NO_RX_MSG: int
PJSUA_DTMF_METHOD_RFC2833: int
PJSUA_DTMF_METHOD_SIP_INFO: int
PJSUA_INVALID_ID: int

class Error(Exception):
    status: int
    title: str
    reason: str

class _Vector(Generic[_T]):
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[_T]: ...
    def __getitem__(self, index: int) -> _T: ...
    def append(self, x: _T) -> None: ...
    def push_back(self, x: _T) -> None: ...
    def clear(self) -> None: ...

class _SwigPointer:
    def __int__(self) -> int: ...

class ByteVector:
    this: _SwigPointer
    def __init__(self, data: Sequence[int] = ...) -> None: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[int]: ...
    def __getitem__(self, index: int) -> int: ...
    def __setitem__(self, index: int, value: int) -> None: ...
    def resize(self, new_size: int) -> None: ...
    def assign(self, n: int, x: int) -> None: ...

class MediaFrame:
    type: int
    buf: ByteVector
    size: int
    def __init__(self) -> None: ...

class MediaFormatAudio:
    clockRate: int
    channelCount: int
    frameTimeUsec: int
    bitsPerSample: int
    def __init__(self) -> None: ...
    def init(
        self,
        formatId: int,
        clockRate: int,
        channelCount: int,
        frameTimeUsec: int,
        bitsPerSample: int,
        avgBps: int = 0,
        maxBps: int = 0,
    ) -> None: ...

class Media: ...

class AudioMedia(Media):
    def getPortId(self) -> int: ...
    def startTransmit(self, sink: AudioMedia) -> None: ...
    def stopTransmit(self, sink: AudioMedia) -> None: ...

class AudioMediaPort(AudioMedia):
    def __init__(self) -> None: ...
    def createPort(self, name: str, fmt: MediaFormatAudio) -> None: ...
    def onFrameRequested(self, frame: MediaFrame) -> None: ...
    def onFrameReceived(self, frame: MediaFrame) -> None: ...

class AudioMediaPlayer(AudioMedia):
    def __init__(self) -> None: ...
    def createPlayer(self, file_name: str, options: int = 0) -> None: ...
    def onEof2(self) -> None: ...

class ToneGenerator(AudioMedia):
    def __init__(self) -> None: ...
    def createToneGenerator(self, clock_rate: int = 16000, channel_count: int = 1) -> None: ...
    def play(self, tones: ToneDescVector, loop: bool = False) -> None: ...
    def rewind(self) -> None: ...

class ToneDesc:
    freq1: int
    freq2: int
    on_msec: int
    off_msec: int
    volume: int

class ToneDescVector:
    def append(self, tone: ToneDesc) -> None: ...

class AudDevManager:
    def setNullDev(self) -> None: ...
    def setNoDev(self) -> object: ...

class LogEntry:
    level: int
    msg: str

class LogWriter:
    def __init__(self) -> None: ...
    def write(self, entry: LogEntry) -> None: ...
    def __disown__(self) -> Any: ...

class LogConfig:
    msgLogging: int
    level: int
    consoleLevel: int
    writer: LogWriter

class UaConfig:
    mwiUnsolicitedEnabled: bool
    natTypeInSdp: int
    maxCalls: int
    threadCnt: int
    mainThreadOnly: bool
    userAgent: str

class MediaConfig:
    clockRate: int
    sndClockRate: int
    channelCount: int
    audioFramePtime: int
    maxMediaPorts: int
    ptime: int
    quality: int
    noVad: bool
    ecTailLen: int
    jbInit: int
    jbMinPre: int
    jbMaxPre: int
    jbMax: int

class JsonDocument:
    def __init__(self) -> None: ...
    def loadString(self, input: str) -> None: ...
    def saveString(self) -> str: ...
    def writeObject(self, obj: MediaConfig) -> None: ...
    def readObject(self, obj: MediaConfig) -> None: ...

class EpConfig:
    uaConfig: UaConfig
    logConfig: LogConfig
    medConfig: MediaConfig
    def __init__(self) -> None: ...

class TransportConfig:
    port: int
    portRange: int
    boundAddress: str
    publicAddress: str
    def __init__(self) -> None: ...

class TransportInfo:
    id: int
    localAddress: str
    localName: str

class CodecInfo:
    codecId: str
    priority: int

class SipRxData:
    pjRxData: TransportHandle | None
    info: str
    wholeMsg: str
    srcAddress: str

class SipHeader:
    hName: str
    hValue: str
    def __init__(self) -> None: ...

class SipTxOption:
    headers: _Vector[SipHeader]
    contentType: str
    msgBody: str

class CallSendRequestParam:
    method: str
    txOption: SipTxOption
    def __init__(self) -> None: ...

class SipTransaction:
    role: int
    method: str
    statusCode: int
    statusText: str
    state: int

class TsxStateEventSrc:
    rdata: SipRxData

class TsxStateEvent:
    src: TsxStateEventSrc
    tsx: SipTransaction
    prevState: int
    type: int

class RxMsgEvent:
    rdata: SipRxData

class SipEventBody:
    tsxState: TsxStateEvent
    rxMsg: RxMsgEvent

class SipEvent:
    type: int
    body: SipEventBody

class TransportHandle(Protocol):
    """A pointer."""

    def __int__(self) -> int: ...

class OnTransportStateParam:
    hnd: TransportHandle
    type: str
    state: int
    lastError: int

class OnRejectedIncomingCallParam:
    localInfo: str
    remoteInfo: str
    statusCode: int
    rdata: SipRxData

class OnSelectAccountParam:
    rdata: SipRxData
    accountIndex: int

class Endpoint:
    def __init__(self) -> None: ...
    def libCreate(self) -> None: ...
    def libInit(self, prmEpConfig: EpConfig) -> None: ...
    def libStart(self) -> None: ...
    def libHandleEvents(self, msec_timeout: int) -> int: ...
    def libDestroy(self, prmFlags: int = 0) -> None: ...
    def utilVerifySipUri(self, prmUri: str) -> int: ...
    def transportCreate(self, type: int, cfg: TransportConfig) -> int: ...
    def transportGetInfo(self, id: int) -> TransportInfo: ...
    def transportShutdown(self, tp: TransportHandle) -> None: ...
    def audDevManager(self) -> AudDevManager: ...
    def codecEnum2(self) -> Sequence[CodecInfo]: ...
    def codecSetPriority(self, codec_id: str, priority: int) -> None: ...
    def onRejectedIncomingCall(self, prm: OnRejectedIncomingCallParam) -> None: ...
    def onSelectAccount(self, prm: OnSelectAccountParam) -> None: ...
    def onTransportState(self, prm: OnTransportStateParam) -> None: ...

class AuthCredInfo:
    def __init__(self, scheme: str, realm: str, user_name: str, data_type: int, data: str) -> None: ...

class AccountRegConfig:
    registrarUri: str
    registerOnAdd: bool
    timeoutSec: int
    retryIntervalSec: int
    firstRetryIntervalSec: int
    randomRetryIntervalSec: int
    dropCallsOnFail: bool
    unregWaitMsec: int

class AccountSipConfig:
    authCreds: _Vector[AuthCredInfo]
    proxies: _Vector[str]
    transportId: int

class AccountNatConfig:
    udpKaIntervalSec: int
    contactRewriteUse: int
    viaRewriteUse: int
    sdpNatRewriteUse: int

class SrtpCrypto:
    name: str
    def __init__(self) -> None: ...

class SrtpOpt:
    cryptos: _Vector[SrtpCrypto]
    keyings: _Vector[int]

class AccountMediaConfig:
    transportConfig: TransportConfig
    srtpUse: int
    srtpSecureSignaling: int
    srtpOpt: SrtpOpt
    streamKaEnabled: bool

class AccountConfig:
    idUri: str
    regConfig: AccountRegConfig
    sipConfig: AccountSipConfig
    natConfig: AccountNatConfig
    mediaConfig: AccountMediaConfig
    mwiConfig: AccountMwiConfig
    def __init__(self) -> None: ...

class AccountMwiConfig:
    enabled: bool
    expirationSec: int

class AccountInfo:
    regIsActive: bool
    regExpiresSec: int
    regStatus: int

class OnRegStartedParam:
    renew: bool

class OnRegStateParam:
    status: int
    code: int
    reason: str
    rdata: SipRxData
    expiration: int

class OnIncomingCallParam:
    callId: int
    rdata: SipRxData

class Account:
    def __init__(self) -> None: ...
    def create(self, cfg: AccountConfig, make_default: bool = False) -> None: ...
    def shutdown(self) -> None: ...
    def __disown__(self) -> Any: ...
    def isValid(self) -> bool: ...
    def getId(self) -> int: ...
    def getInfo(self) -> AccountInfo: ...
    def setRegistration(self, renew: bool) -> None: ...
    def onIncomingCall(self, prm: OnIncomingCallParam) -> None: ...
    def onRegStarted(self, prm: OnRegStartedParam) -> None: ...
    def onRegState(self, prm: OnRegStateParam) -> None: ...

class CallSetting:
    flag: int
    audioCount: int
    videoCount: int
    def __init__(self, useDefaultValues: bool = False) -> None: ...

class CallOpParam:
    opt: CallSetting
    statusCode: int
    reason: str
    options: int
    txOption: SipTxOption
    def __init__(self, useDefaultCallSetting: bool = False) -> None: ...

class CallMediaInfo:
    index: int
    type: int
    dir: int
    status: int

class CallInfo:
    localUri: str
    role: int
    callIdString: str
    state: int
    lastStatusCode: int
    lastReason: str
    media: Sequence[CallMediaInfo]

class MediaTransportInfo:
    localRtpName: str
    localRtcpName: str

class StreamInfo:
    remoteRtpAddress: str
    remoteRtcpAddress: str
    codecName: str

class CallSendDtmfParam:
    method: int
    duration: int
    digits: str
    def __init__(self) -> None: ...

class OnCallStateParam:
    e: SipEvent

class OnCallMediaStateParam: ...

class OnCallTsxStateParam:
    e: SipEvent

class SdpSession:
    wholeSdp: str

class OnCallSdpCreatedParam:
    sdp: SdpSession
    remSdp: SdpSession

class OnCallRxOfferParam:
    offer: SdpSession
    statusCode: int

class OnCallRedirectedParam:
    e: SipEvent

class OnCallTransferRequestParam:
    statusCode: int

class OnCallReplaceRequestParam:
    statusCode: int

class OnDtmfDigitParam:
    method: int
    digit: str
    duration: int

class OnDtmfEventParam:
    method: int
    timestamp: int
    digit: str
    duration: int
    flags: int

class MathStat:
    n: int
    max: int
    min: int
    last: int
    mean: int

class RtcpStreamStat:
    updateCount: int
    pkt: int
    discard: int
    loss: int
    jitterUsec: MathStat

class RtcpStat:
    txStat: RtcpStreamStat
    rxStat: RtcpStreamStat
    rttUsec: MathStat

class JbufState:
    avgDelayMsec: int

class StreamStat:
    rtcp: RtcpStat
    jbuf: JbufState

class Call:
    def __init__(self, acc: Account, call_id: int = ...) -> None: ...
    def getInfo(self) -> CallInfo: ...
    def getId(self) -> int: ...
    def dump(self, with_media: bool, indent: str) -> str: ...
    def isActive(self) -> bool: ...
    def getAudioMedia(self, med_idx: int) -> AudioMedia: ...
    def getMedTransportInfo(self, index: int, /) -> MediaTransportInfo: ...
    def getStreamInfo(self, index: int, /) -> StreamInfo: ...
    def getStreamStat(self, index: int, /) -> StreamStat: ...
    def remoteHasCap(self, htype: int, hname: str, token: str) -> int: ...
    def makeCall(self, dst_uri: str, prm: CallOpParam) -> None: ...
    def answer(self, prm: CallOpParam) -> None: ...
    def hangup(self, prm: CallOpParam) -> None: ...
    def setHold(self, prm: CallOpParam) -> None: ...
    def sendRequest(self, prm: CallSendRequestParam) -> None: ...
    def reinvite(self, prm: CallOpParam) -> None: ...
    def update(self, prm: CallOpParam) -> None: ...
    def sendDtmf(self, param: CallSendDtmfParam) -> None: ...
    def onCallState(self, prm: OnCallStateParam) -> None: ...
    def onCallTsxState(self, prm: OnCallTsxStateParam) -> None: ...
    def onCallMediaState(self, prm: OnCallMediaStateParam) -> None: ...
    def onCallSdpCreated(self, prm: OnCallSdpCreatedParam) -> None: ...
    def onCallRxOffer(self, prm: OnCallRxOfferParam) -> None: ...
    def onDtmfDigit(self, prm: OnDtmfDigitParam) -> None: ...
    def onDtmfEvent(self, prm: OnDtmfEventParam) -> None: ...
