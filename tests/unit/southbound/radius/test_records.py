"""What an Accounting-Request says, out of its attributes."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.domains.aaa.accounting import Kind, Record
from demarc.domains.aaa.model import Nas
from demarc.protocols.radius.dictionary import DICTIONARY
from demarc.protocols.radius.errors import Malformed
from demarc.protocols.radius.packet import Code, decode
from demarc.protocols.radius.request import encode_request
from demarc.southbound.radius.records import NasRestart, read

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def nas(**more):
    facts = {
        "vendor": "generic",
        "secret": b"",
        "coa_port": 3799,
        "reach": "default",
        "default_realm_id": None,
        "require_message_authenticator": "auto",
        "counters_reversed": False,
        "interim_interval": 300,
    }
    return Nas(
        id=uuid4(),
        owner_id=uuid4(),
        network_id=uuid4(),
        pop_id=None,
        name="n",
        prefix="192.0.2.1/32",
        **{**facts, **more},
    )


def told(**attributes):
    pairs = [(DICTIONARY[name.replace("_", "-")], value) for name, value in attributes.items()]
    return decode(encode_request(Code.ACCOUNTING_REQUEST, 1, pairs, b"s"))


def record(of=None, **attributes):
    found = read(told(**attributes), of or nas(), "192.0.2.1", NOW)
    assert isinstance(found, Record)
    return found


def test_everything_a_session_tells():
    found = record(
        Acct_Status_Type="Stop",
        User_Name="ana@acme",
        Acct_Session_Id="81d00001",
        Event_Timestamp=NOW - timedelta(seconds=20),
        Acct_Session_Time=360,
        Acct_Input_Octets=10,
        Acct_Output_Octets=20,
        Framed_IP_Address="100.64.0.9",
        Calling_Station_Id="AA-01",
        NAS_Port_Id="eth 0/1/2:100",
        Acct_Terminate_Cause="Lost-Carrier",
    )
    assert found.kind is Kind.STOP
    assert (found.username, found.acct_session_id) == ("ana@acme", "81d00001")
    assert (found.at, found.exact) == (NOW - timedelta(seconds=20), True)
    assert found.began == NOW - timedelta(seconds=380)
    assert (found.input_octets, found.output_octets) == (10, 20)
    assert (found.framed_ipv4, found.station) == ("100.64.0.9", "AA-01")
    assert (found.nas_port_id, found.terminate_cause) == ("eth 0/1/2:100", "Lost-Carrier")


@given(octets=st.integers(0, 2**64 - 1))
def test_gigawords_make_the_counters_64_bits_wide(octets):
    found = record(
        Acct_Status_Type="Interim-Update",
        Acct_Output_Octets=octets % 2**32,
        Acct_Output_Gigawords=octets >> 32,
    )
    assert found.output_octets == octets


@pytest.mark.parametrize("make", ["Huawei-Acct-IPv6-{}", "ERX-IPv6-Acct-{}"])
def test_ipv6_octets_come_in_the_attributes_of_two_makes(make):
    def named(rest):
        return make.format(rest).replace("-", "_")

    found = record(
        Acct_Status_Type="Interim-Update",
        **{
            named("Input-Octets"): 7,
            named("Output-Octets"): 9,
            named("Output-Gigawords"): 1,
        },
    )
    assert (found.ipv6_input_octets, found.ipv6_output_octets) == (7, 2**32 + 9)


def test_a_nas_that_counts_from_the_subscribers_side_is_turned_round():
    found = record(
        nas(counters_reversed=True),
        Acct_Status_Type="Interim-Update",
        Acct_Input_Octets=1,
        Acct_Output_Octets=2,
        Huawei_Acct_IPv6_Input_Octets=3,
    )
    assert (found.input_octets, found.output_octets) == (2, 1)
    assert found.ipv6_output_octets == 3


def test_without_time_stamp_and_delay_the_receipt_counts():
    found = record(Acct_Status_Type="Start")
    assert (found.at, found.exact) == (NOW, False)
    found = record(Acct_Status_Type="Start", Acct_Delay_Time=15)
    assert (found.at, found.exact) == (NOW - timedelta(seconds=15), True)


def test_a_nas_that_restarts_has_no_session():
    for status in ("Accounting-On", "Accounting-Off"):
        found = read(told(Acct_Status_Type=status), nas(), "192.0.2.1", NOW)
        assert found == NasRestart(NOW)


def test_what_is_of_no_session_says_nothing():
    assert read(told(Acct_Status_Type="Tunnel-Start"), nas(), "192.0.2.1", NOW) is None
    assert read(told(User_Name="u"), nas(), "192.0.2.1", NOW) is None


def test_an_attribute_of_a_wrong_length_is_no_reading():
    whole = told(Acct_Status_Type="Start", Acct_Session_Time=5).raw
    # two octets of time, and an empty Acct-Session-Id in the place of the others
    packet = decode(whole[:-6] + b"\x2e\x04\x00\x05" + b"\x2c\x02")
    with pytest.raises(Malformed):
        read(packet, nas(), "192.0.2.1", NOW)


def test_a_zero_character_in_a_name_does_not_reach_the_database():
    found = record(Acct_Status_Type="Start", User_Name=b"a\0b", Acct_Session_Id=b"\0")
    assert "\0" not in found.username + found.acct_session_id
