"""Which internet addresses the egress guard may connect to.

The list is our own: what `ipaddress.is_global` says differs between patch releases of Python and calls NAT64 of
loopback global. IPv6 is an allow-list (2000::/3 is all that is handed out) with holes; IPv4 is
a deny-list after the IANA special-purpose registry. Judge the socket address, never the text of a URL.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

__all__ = ["Address", "is_loopback", "refusal"]

Address = IPv4Address | IPv6Address

_BLOCKED_V4 = tuple(
    (IPv4Network(network), why)
    for network, why in (
        ("0.0.0.0/8", "this network"),
        ("10.0.0.0/8", "private network"),
        ("100.64.0.0/10", "carrier-grade NAT and cloud metadata"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local and cloud metadata"),
        ("172.16.0.0/12", "private network"),
        ("192.0.0.0/24", "IETF protocol assignments"),
        ("192.0.2.0/24", "documentation"),
        ("192.31.196.0/24", "AS112"),
        ("192.52.193.0/24", "AMT"),
        ("192.88.99.0/24", "6to4 relay"),
        ("192.168.0.0/16", "private network"),
        ("192.175.48.0/24", "AS112"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved and broadcast"),
    )
)

_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
_BLOCKED_V6 = tuple(
    (IPv6Network(network), why)
    for network, why in (
        ("2001::/23", "IETF protocol assignments and Teredo"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("2620:4f:8000::/48", "AS112"),
        ("3fff::/20", "documentation"),
    )
)
_LOOPBACK_V6 = IPv6Address("::1")
_V4_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")


def refusal(address: Address) -> str:
    """The rule that forbids connecting to `address`, or "" when none does. An IPv4 address inside a v4-mapped or NAT64
    one is judged as itself; 6to4 is refused altogether, since nobody routes it any more."""
    if isinstance(address, IPv4Address):
        return next((f"{why} {network}" for network, why in _BLOCKED_V4 if address in network), "")
    embedded = _embedded_v4(address)
    if embedded is not None:
        return refusal(embedded)
    if is_loopback(address):
        return "loopback ::1/128"
    if address not in _GLOBAL_UNICAST_V6:
        return f"outside global unicast {_GLOBAL_UNICAST_V6}"
    return next((f"{why} {network}" for network, why in _BLOCKED_V6 if address in network), "")


def is_loopback(address: Address) -> bool:
    """Whether `address` is this machine: 127.0.0.0/8, ::1, or the former as a v4-mapped address."""
    if isinstance(address, IPv6Address):
        if address in _V4_MAPPED:
            return is_loopback(_last_32_bits(address))
        return address == _LOOPBACK_V6
    return address in IPv4Network("127.0.0.0/8")


def _embedded_v4(address: IPv6Address) -> IPv4Address | None:
    return _last_32_bits(address) if address in _V4_MAPPED or address in _NAT64 else None


def _last_32_bits(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFFFFFF)
