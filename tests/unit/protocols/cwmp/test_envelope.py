"""Messages on the wire: what devices send, and that all there is comes back as it went."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.protocols.cwmp import events, messages
from demarc.protocols.cwmp.envelope import VERSIONS, Envelope, decode, encode
from demarc.protocols.cwmp.errors import CPE_FAULTS, Malformed
from demarc.protocols.cwmp.times import read_time, write_time

INFORM = b"""<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"
  xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/"
  xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xmlns:cwmp="urn:dslforum-org:cwmp-1-2">
 <SOAP-ENV:Header><cwmp:ID SOAP-ENV:mustUnderstand="1"> 1804289383 </cwmp:ID></SOAP-ENV:Header>
 <SOAP-ENV:Body>
  <cwmp:Inform>
   <DeviceId><Manufacturer>Example</Manufacturer><OUI>00aabb</OUI>
    <ProductClass>HG-1</ProductClass><SerialNumber>EX00000001</SerialNumber></DeviceId>
   <Event SOAP-ENC:arrayType="cwmp:EventStruct[2]">
    <EventStruct><EventCode>1 BOOT</EventCode><CommandKey></CommandKey></EventStruct>
    <EventStruct><EventCode>4  value change </EventCode><CommandKey/></EventStruct>
   </Event>
   <MaxEnvelopes>1</MaxEnvelopes><CurrentTime>1970-01-01T00:01:05-03:00</CurrentTime>
   <RetryCount>3</RetryCount>
   <ParameterList SOAP-ENC:arrayType="cwmp:ParameterValueStruct[2]">
    <ParameterValueStruct><Name>Device.DeviceInfo.SoftwareVersion</Name>
     <Value xsi:type="xsd:string">1.0 &amp; more</Value></ParameterValueStruct>
    <ParameterValueStruct><Name>Device.DeviceInfo.UpTime</Name>
     <Value xsi:type="xsd:unsignedInt">65</Value></ParameterValueStruct>
   </ParameterList>
  </cwmp:Inform>
 </SOAP-ENV:Body>
</SOAP-ENV:Envelope>"""


def test_an_inform_as_a_device_sends_it() -> None:
    envelope = decode(INFORM)

    assert envelope == Envelope(
        messages.Inform(
            device=messages.DeviceId("Example", "00AABB", "HG-1", "EX00000001"),
            events=(messages.Event(events.BOOT), messages.Event(events.VALUE_CHANGE)),
            parameters=(
                messages.ParameterValue("Device.DeviceInfo.SoftwareVersion", "1.0 & more"),
                messages.ParameterValue("Device.DeviceInfo.UpTime", "65", "unsignedInt"),
            ),
            current_time=datetime(1970, 1, 1, 3, 1, 5, tzinfo=UTC),
            retry_count=3,
        ),
        id="1804289383",
        version="1-2",
    )


def test_a_fault_with_its_parameters() -> None:
    fault = messages.Fault(
        9003, "Invalid arguments", (messages.SetFault("Device.A", 9007, "too <long>"),)
    )

    envelope = decode(encode(Envelope(fault, id="7", version="1-0")))

    assert envelope.message == fault
    assert b"<faultcode>Client</faultcode>" in encode(Envelope(fault))


def test_a_soap_fault_that_is_none_of_cwmp() -> None:
    body = INFORM.split(b"<cwmp:Inform>")[0] + (
        b"<SOAP-ENV:Fault><faultcode>Client</faultcode><faultstring>no</faultstring>"
        b"</SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )

    assert decode(body).message == messages.Fault(0, "no")


@pytest.mark.parametrize(
    "declared", [b"ISO-8859-1", b"iso-8859-1", b"UTF-8", b"windows-1252", b"x-unknown"]
)
def test_names_in_another_encoding_than_declared(declared: bytes) -> None:
    body = INFORM.replace(b'encoding="UTF-8"', b'encoding="%s"' % declared)
    body = body.replace(b"1.0 &amp; more", "café".encode("latin-1"))

    assert _first_value(body) == "café"


def test_characters_xml_does_not_know_are_left_out() -> None:
    body = INFORM.replace(b"1.0 &amp; more", b"My\x01 &#x1F; Wi-Fi & \x0bCo")

    assert _first_value(body) == "My  Wi-Fi & Co"


def test_a_document_behind_a_byte_order_mark_or_blank_lines() -> None:
    assert decode(b"\xef\xbb\xbf" + INFORM) == decode(b"\r\n \r\n" + INFORM) == decode(INFORM)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"hello", "well-formed"),
        (b"<a/>", "envelope"),
        (INFORM[:-20], "well-formed"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + INFORM.partition(b"?>")[2], "document type"),
        (INFORM.decode().encode("utf-16"), "encoding"),
        (INFORM.replace(b"cwmp:Inform>", b"cwmp:Outform>"), "no message"),
        (b"<Envelope><Body/></Envelope>", "empty"),
        (b"<Envelope/>", "no body"),
        (INFORM.replace(b"DeviceId", b"Device"), "whose"),
        (b" " * (8 * 1024 * 1024 + 1), "too large"),
    ],
)
def test_what_is_no_message_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        decode(body)


def test_no_entity_is_followed(tmp_path: object) -> None:
    bomb = b"<!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY lol2 '&lol;&lol;'>]>"
    for start in (b"", b"\n \t", b'<?xml version="1.0"?>'):
        with pytest.raises(Malformed, match="document type"):
            decode(start + bomb + b"<Envelope><Body><Inform>&lol2;</Inform></Body></Envelope>")


def _first_value(body: bytes) -> str:
    message = decode(body).message
    assert isinstance(message, messages.Inform)
    return message.parameters[0].value


# whatever XML can hold, apart from what it normalises
_TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=30
)
_WORD = _TEXT.map(str.strip)
_NAME = st.from_regex(r"[A-Za-z0-9_.-]{1,40}", fullmatch=True)
_TIME = st.none() | st.integers(0, 250_000_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))
_NUMBER = st.integers(0, 2**31 - 1)
_VALUES = st.lists(
    st.builds(
        messages.ParameterValue,
        _NAME,
        _TEXT,
        st.sampled_from(["string", "int", "unsignedInt", "boolean", "dateTime", "base64"]),
    ),
    max_size=5,
).map(tuple)
_FAULT = st.builds(messages.FileFault, _NUMBER, _WORD)
_NAMES = st.lists(_NAME, max_size=5).map(tuple)
_MESSAGES = st.one_of(
    st.builds(
        messages.Inform,
        device=st.builds(messages.DeviceId, _WORD, _NAME.map(str.upper), _WORD, _WORD),
        events=st.lists(
            st.builds(messages.Event, st.sampled_from([events.BOOT, events.M_REBOOT]), _WORD),
            max_size=4,
        ).map(tuple),
        parameters=_VALUES,
        max_envelopes=_NUMBER,
        current_time=_TIME,
        retry_count=_NUMBER,
    ),
    st.builds(messages.InformResponse, _NUMBER),
    st.builds(messages.TransferComplete, _WORD, _FAULT, _TIME, _TIME),
    st.builds(messages.TransferCompleteResponse),
    st.builds(
        messages.AutonomousTransferComplete,
        *(_WORD, _WORD, st.booleans(), _WORD, _NUMBER, _WORD, _FAULT, _TIME, _TIME),
    ),
    st.builds(messages.AutonomousTransferCompleteResponse),
    st.builds(
        messages.RequestDownload, _WORD, st.lists(st.tuples(_WORD, _WORD), max_size=3).map(tuple)
    ),
    st.builds(messages.RequestDownloadResponse),
    st.builds(messages.GetRPCMethods),
    st.builds(messages.GetRPCMethodsResponse, _NAMES),
    st.builds(messages.GetParameterValues, _NAMES),
    st.builds(messages.GetParameterValuesResponse, _VALUES),
    st.builds(messages.SetParameterValues, _VALUES, _WORD),
    st.builds(messages.SetParameterValuesResponse, _NUMBER),
    st.builds(messages.GetParameterNames, _NAME, st.booleans()),
    st.builds(
        messages.GetParameterNamesResponse,
        st.lists(st.builds(messages.ParameterInfo, _NAME, st.booleans()), max_size=4).map(tuple),
    ),
    st.builds(messages.GetParameterAttributes, _NAMES),
    st.builds(
        messages.GetParameterAttributesResponse,
        st.lists(st.builds(messages.ParameterAttribute, _NAME, _NUMBER, _NAMES), max_size=3).map(
            tuple
        ),
    ),
    st.builds(
        messages.SetParameterAttributes,
        st.lists(
            st.builds(messages.AttributeChange, _NAME, st.none() | _NUMBER, st.none() | _NAMES),
            max_size=3,
        ).map(tuple),
    ),
    st.builds(messages.SetParameterAttributesResponse),
    st.builds(messages.AddObject, _NAME, _WORD),
    st.builds(messages.AddObjectResponse, _NUMBER, _NUMBER),
    st.builds(messages.DeleteObject, _NAME, _WORD),
    st.builds(messages.DeleteObjectResponse, _NUMBER),
    st.builds(messages.Reboot, _WORD),
    st.builds(messages.RebootResponse),
    st.builds(messages.FactoryReset),
    st.builds(messages.FactoryResetResponse),
    st.builds(messages.ScheduleInform, _NUMBER, _WORD),
    st.builds(messages.ScheduleInformResponse),
    st.builds(
        messages.Download,
        *(_WORD, _WORD, _WORD, _TEXT, _TEXT, _NUMBER, _WORD, _NUMBER, _WORD, _WORD),
    ),
    st.builds(messages.DownloadResponse, _NUMBER, _TIME, _TIME),
    st.builds(messages.Upload, _WORD, _WORD, _WORD, _TEXT, _TEXT, _NUMBER),
    st.builds(messages.UploadResponse, _NUMBER, _TIME, _TIME),
    st.builds(
        messages.Fault,
        st.sampled_from(sorted(CPE_FAULTS)),
        _WORD,
        st.lists(st.builds(messages.SetFault, _NAME, _NUMBER, _WORD), max_size=3).map(tuple),
    ),
)


@given(
    st.builds(
        Envelope,
        _MESSAGES,
        id=st.none() | _NAME,
        version=st.sampled_from(VERSIONS),
        hold_requests=st.booleans(),
        no_more_requests=st.booleans(),
    )
)
def test_every_message_comes_back_as_it_went(envelope: Envelope) -> None:
    assert decode(encode(envelope)) == envelope


@given(st.binary(max_size=400))
def test_any_octets_are_a_message_or_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        decode(body)


@given(st.data())
def test_a_damaged_message_is_read_or_refused(data: st.DataObject) -> None:
    body = bytearray(INFORM)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    with contextlib.suppress(Malformed):
        decode(bytes(body))


@given(_TIME)
def test_times_come_back_as_they_went(moment: datetime | None) -> None:
    assert read_time(write_time(moment)) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00", None),
        ("", None),
        ("soon", None),
        ("2026-13-01T00:00:00Z", None),
        ("2026-11-20T10:20:30", datetime(2026, 11, 20, 10, 20, 30, tzinfo=UTC)),
        ("2026-11-20T10:20:30.5-0300", datetime(2026, 11, 20, 13, 20, 30, 500000, tzinfo=UTC)),
        ("2026-11-20 10:20:60Z", datetime(2026, 11, 20, 10, 20, 59, tzinfo=UTC)),
        ("0001-01-01T00:00:00+23:00", None),
        ("9999-12-31T23:59:59-12:00", None),
    ],
)
def test_times_as_devices_write_them(text: str, moment: datetime | None) -> None:
    assert read_time(text) == moment


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2 PERIODIC", events.PERIODIC),
        (" 2  Periodic", events.PERIODIC),
        ("10", events.AUTONOMOUS_TRANSFER_COMPLETE),
        ("8 DIAGNOSTIC COMPLETE", events.DIAGNOSTICS_COMPLETE),
        ("M reboot", events.M_REBOOT),
        ("X EXAMPLE-COM Moved", "X EXAMPLE-COM Moved"),
        ("", ""),
    ],
)
def test_events_as_devices_write_them(text: str, code: str) -> None:
    assert events.canonical(text) == code
