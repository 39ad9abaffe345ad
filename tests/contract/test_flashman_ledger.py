"""The ledger of promises, held against the contract, the routes, the tests and the description."""

import ast
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

import demarc.northbound.flashman
from demarc.northbound.flashman import openapi
from demarc.northbound.flashman.routes import HANDLERS

HERE = Path(__file__).parent
CONTRACT: dict[str, Any] = json.loads((HERE / "flashman.json").read_text())
LEDGER: dict[str, dict[str, Any]] = msgspec.yaml.decode(
    (Path(demarc.northbound.flashman.__path__[0]) / "quality.yaml").read_bytes()
)
ENTRIES = LEDGER["operations"] | LEDGER["own"] | LEDGER["rules"]
OPERATIONS = {operation["id"]: operation for operation in CONTRACT["operations"]}


def test_every_operation_of_the_contract_is_in_the_ledger_with_its_route():
    routes = {name: entry["route"] for name, entry in LEDGER["operations"].items()}
    assert routes == {name: f"{one['method']} {one['path']}" for name, one in OPERATIONS.items()}


def test_every_rule_and_convention_of_the_contract_is_in_the_ledger():
    ids = {rule["id"] for operation in OPERATIONS.values() for rule in operation["rules"]}
    ids |= {convention["id"] for convention in CONTRACT["conventions"]}
    assert {name for name in LEDGER["rules"] if "#" in name} == ids


def test_the_ledger_names_every_route():
    served = {handler.operation_id for handler in HANDLERS}
    named = LEDGER["operations"].keys() | LEDGER["own"].keys()
    assert served <= named
    # the commands of the contract are one route
    assert all(name.startswith("flashman.device.command.") for name in named - served)


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


def test_every_operation_is_described():
    described = {
        operation["operationId"] for _, _, operation in openapi.operations(openapi.document())
    }
    assert described == {handler.operation_id for handler in HANDLERS}


async def test_the_description_is_served_to_anybody(desk):
    async with desk.client() as anybody:
        page = await anybody.get("/docs/flashman")
        assert page.status_code == 200
        assert "upstatus" in page.text
        document = (await anybody.get("/docs/flashman/openapi.json")).json()
    assert document == openapi.document()
