"""The columns that files of subscribers may have.

A line may say any of a customer, a premise, a product, a service and a log-in, and things belong
together that stand on one line or name each other by their references. An empty cell says nothing.
"""

import msgspec

from demarc.domains.services.states import State
from demarc.imports.entry import API_KINDS, APIS


class Column(msgspec.Struct, frozen=True):
    """A column.

    Attributes:
        of: what it describes.
        meaning: for the documentation and ``demarc import columns``.
        example: a value.
    """

    name: str
    of: str
    meaning: str
    example: str = ""


def _columns(of: str, *rows: tuple[str, str, str]) -> list[Column]:
    return [Column(name, of, meaning, example) for name, meaning, example in rows]


_STATES = f"active (if left out), or another of {', '.join(State)}"
_WRITINGS = (
    "cleartext (if left out), nt, crypt, md5, smd5, sha, ssha, sha2, ssha2;"
    " hashes in hex or base64, or as {SSHA}..."
)

COLUMNS: dict[str, Column] = {
    column.name: column
    for column in (
        *_columns(
            "line",
            ("tenant", "the ISP's slug; a line of another ISP than the run's is refused", "veloz"),
            ("network", "the network's slug, where lines are of several", "norte"),
        ),
        *_columns(
            "customer",
            ("customer_ref", "what the old system calls the customer", "C-1001"),
            ("customer_kind", "person (if left out) or company", "person"),
            ("name", "whole; needed for a company", "Padaria Exemplo"),
            ("first_name", "of a person", "Nomsa"),
            ("last_name", "of a person", "Dlamini"),
            ("tax_id_kind", "what the tax number is", "cpf"),
            ("tax_id", "tax number, with or without punctuation", "529.982.247-25"),
            ("email", "e-mail address", "nomsa@example.net"),
            ("mobile_number", "with country code", "+27 82 555 0101"),
            ("customer_since", "day or time", "2021-05-04"),
            ("fno_consent_at", "agreed then to be contacted by the network's owner", "2024-02-01"),
            ("isp_consent_at", "agreed then to be contacted by the ISP", "2024-02-01"),
        ),
        *_columns(
            "premise",
            ("premise_ref", "what the old system calls the premise", "P-77"),
            ("full_address", "whole; or in the parts below", "12 Long Street, Exampleton"),
            ("street", "street", "Rua das Flores"),
            ("number", "house number", "10"),
            ("district", "district", "Centro"),
            ("city", "town", "Exemplo"),
            ("region", "state or province", "SP"),
            ("postcode", "postcode", "01000-000"),
            ("country", "ISO 3166 code", "BR"),
            ("latitude", "degrees, with a decimal point", "-33.9249"),
            ("longitude", "degrees, with a decimal point", "18.4241"),
            ("unit", "flat, house or shop within the address", "apt 1"),
            ("area", "slug of the network's area it lies in", "centro"),
            ("premise_timezone", "where it differs from the ISP's", "America/Manaus"),
        ),
        *_columns(
            "product",
            ("product", "code of the product", "home-100"),
            ("product_name", "its name; a product that is not there is made", "Home 100"),
            ("product_description", "text", ""),
            ("technology", "gpon if left out", "gpon"),
            ("download", "towards the subscriber", "100M"),
            ("upload", "from the subscriber", "50M"),
            ("monthly_price", "with a decimal point", "99.90"),
            ("currency", "ISO 4217 code, with a price", "BRL"),
        ),
        *_columns(
            "service",
            ("service_ref", "what the old system calls the service", "S-5001"),
            ("service_number", "its number within the ISP; the next one if left out", "5001"),
            (
                "state",
                _STATES,
                "active",
            ),
            ("state_reason", "why it is in that state", "unpaid"),
            ("service_since", "day or time it was ordered", "2021-05-04"),
            ("provisioned_at", "day or time it first worked", "2021-05-09"),
            ("cancel_at", "when it ends, if it is under notice", "2027-01-31"),
            ("sales_agent", "who sold it", "Ana"),
            ("isp_reference", "the ISP's own name for it, shown by APIs", "CONTRACT-7"),
            ("wifi_username", "SSID wanted on the CPE", "Dlamini"),
            ("wifi_password", "8 to 63 ASCII characters", ""),
        ),
        *_columns(
            "log-in",
            ("username", "with or without @realm", "u00001@veloz.example"),
            ("realm", "of the log-in, where the username has none", "veloz.example"),
            ("credential_kind", "pppoe (if left out), mac, circuit_id or dot1x", "pppoe"),
            ("password", "in clear, or a hash; one is made for a new log-in without", ""),
            (
                "password_kind",
                _WRITINGS,
                "nt",
            ),
            ("static_ip", "IPv4 address of its own", "203.0.113.7"),
            ("static_ipv6_prefix", "IPv6 prefix of its own for the line", "2001:db8:1::/64"),
            ("static_delegated_prefix", "IPv6 prefix of its own to delegate", "2001:db8:100::/56"),
            ("station", "Calling-Station-Id it is bound to, as the NAS sends it", ""),
            ("circuit_id", "line it is bound to, as the access node names it", "olt-1/0/3/7"),
            ("max_sessions", "stations at a time, 1 to 1000; 4 if left out", "1"),
            ("expires_at", "from then on it may not log in", "2026-12-31"),
        ),
        *(
            Column(f"{api}_{kind}_id", kind, f"id that {api}'s clients know the {kind} by")
            for api in APIS
            for kind in API_KINDS
        ),
    )
}
"""Every column, by name."""

__all__ = ["COLUMNS", "Column"]
