"""The ledger of promises, held against the contract, the routes and the tests."""

import ast
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar.routes import HTTPRoute

import demarc.northbound.aex
from demarc.northbound.aex import openapi, wire

HERE = Path(__file__).parent
CONTRACT: dict[str, Any] = json.loads((HERE / "aex.json").read_text())
LEDGER: dict[str, dict[str, Any]] = msgspec.yaml.decode(
    (Path(demarc.northbound.aex.__path__[0]) / "quality.yaml").read_bytes()
)
ENTRIES = LEDGER["operations"] | LEDGER["rules"]
OPERATIONS = {operation["id"]: operation for operation in CONTRACT["operations"]}


def test_every_operation_of_the_contract_is_in_the_ledger_with_its_route():
    for name, operation in OPERATIONS.items():
        assert LEDGER["operations"][name]["route"] == f"{operation['method']} {operation['path']}"


def test_every_rule_and_convention_of_the_contract_is_in_the_ledger():
    ids = {rule["id"] for operation in OPERATIONS.values() for rule in operation["rules"]}
    ids |= {convention["id"] for convention in CONTRACT["conventions"]}
    of_contract = {name for name in LEDGER["rules"] if name.startswith("aex.") and "#" in name}
    assert of_contract == ids


async def test_the_ledger_names_every_route_and_no_other(office):
    routes = {
        handler.operation_id: f"{method} {route.path_format}"
        for route in office.app.routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items()
        if method != "OPTIONS" and not route.path_format.startswith("/docs")
    }
    assert routes == {name: entry["route"] for name, entry in LEDGER["operations"].items()}


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_is_done_exempt_or_to_do(name):
    entry = ENTRIES[name]
    (state,) = set(entry) & {"done", "exempt", "todo"}
    if state == "done":
        assert entry["done"]
        for node in entry["done"]:
            file, _, function = node.partition("::")
            assert function in functions(file), node
    else:
        assert len(entry[state].split()) >= 5, "an exemption needs its reason"


def functions(file: str) -> set[str]:
    """Give the names of the test functions in a file beside this one."""
    tree = ast.parse((HERE / file).read_text())
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


def test_what_is_answered_has_the_examples_keys_in_the_examples_order():
    """Both ways: no key of the document is missing, and none is added to what it shows."""
    shown = {
        "aex.services.snapshot": wire.Change,
        "aex.services.device.status": wire.DeviceStatus,
        "aex.services.device.status.live": wire.DeviceStatus,
        "aex.services.radius.status": wire.RadiusStatus,
        "aex.services.radius.usage": wire.UsageDay,
    }
    for name, struct in shown.items():
        example = OPERATIONS[name]["success_example"]
        example = example[0] if isinstance(example, list) else example
        assert list(example) == list(struct.__struct_encode_fields__), name
    listed = OPERATIONS["aex.services.list"]["success_example"]
    assert list(listed) == list(wire.Page.__struct_encode_fields__)
    assert list(listed["items"][0]) == list(wire.Service.__struct_encode_fields__)
    radius = OPERATIONS["aex.services.radius.status"]["success_example"]
    assert list(radius["authentication_attempts"][0]) == list(wire.Attempt.__struct_fields__)
    assert list(radius["accounting"][0]) == list(wire.Accounting.__struct_fields__)


def test_the_examples_are_of_the_types_that_are_answered():
    types = {
        "aex.services.list": wire.Page[wire.Service],
        "aex.services.device.status": wire.DeviceStatus,
        "aex.services.radius.status": wire.RadiusStatus,
        "aex.services.radius.usage": list[wire.UsageDay],
    }
    for name, kind in types.items():
        msgspec.convert(OPERATIONS[name]["success_example"], kind)
    # the example's "status": "string" is a placeholder; ours is one of six
    change = OPERATIONS["aex.services.snapshot"]["success_example"][0]
    msgspec.convert(change | {"status": "Active"}, wire.Change)
    msgspec.convert(OPERATIONS["aex.services.create"]["request_example"]["body"], wire.NewService)


def test_every_operation_is_described():
    described = {
        operation["operationId"] for _, _, operation in openapi.operations(openapi.document())
    }
    assert described == set(LEDGER["operations"])
