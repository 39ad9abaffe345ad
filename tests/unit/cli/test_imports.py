"""``demarc import``, as it is typed."""

import csv
import json
from pathlib import Path

import pytest

FILE = """customer_ref,first_name,last_name,full_address,product,download,upload,username,password
C1,Nomsa,Dlamini,1 Long Street,home,100M,50M,nomsa@veloz.example,first-secret
C2,Thabo,Nkosi,2 Long Street,home,100M,50M,thabo@veloz.example,other-secret
C3,Ana,,3 Long Street,none,,,ana@veloz.example,third-secret
"""

DUMP = """-- PostgreSQL database dump
COPY public.radcheck (id, username, attribute, op, value) FROM stdin;
1	nomsa@veloz.example	Cleartext-Password	:=	first-secret
2	thabo@veloz.example	Cleartext-Password	:=	other-secret
3	thabo@veloz.example	NAS-Port-Type	==	Virtual
\\.
COPY public.radusergroup (id, username, groupname, priority) FROM stdin;
1	nomsa@veloz.example	gold	0
\\.
COPY public.radgroupreply (id, groupname, attribute, op, value) FROM stdin;
1	gold	Mikrotik-Rate-Limit	:=	10M/20M
\\.
COPY public.nas (id, nasname, shortname, type, secret) FROM stdin;
1	203.0.113.1	bng-9	mikrotik	nas-secret
\\.
"""

ISP = ("--tenant", "veloz")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "crm.csv"
    path.write_text(FILE, encoding="utf-8")
    return str(path)


@pytest.fixture
def dump(tmp_path):
    path = tmp_path / "radius.sql"
    path.write_text(DUMP, encoding="utf-8")
    return str(path)


def test_a_dry_run_tells_what_would_be_and_keeps_nothing(house, file):
    shown = house("import", "subscribers", file, *ISP, "--dry-run").out
    assert "Nothing was kept: this was a dry run." in shown
    assert "crm.csv:4: product none is no product of norte" in shown
    assert house("import", "list", *ISP).out == "none\n"
    assert house("customer", "list", *ISP).out == "none\n"


def test_a_file_is_brought_and_brought_again(house, file):
    first = house("import", "subscribers", file, *ISP, "--json").json
    assert first["counts"]["service"] == {"created": 2}
    assert (first["state"], first["lines"], len(first["refused"])) == ("done", 3, 1)
    again = house("import", "subscribers", file, *ISP, "--json").json
    assert again["counts"]["service"] == {"unchanged": 2}
    runs = house("import", "list", *ISP, "--json").json
    assert [run["created"] for run in runs] == [0, 9]
    shown = house("import", "show", first["id"], *ISP).out
    assert "done: 3 lines of crm.csv (files)" in shown
    customers = house("customer", "list", *ISP, "--json").json
    assert {one["name"] for one in customers} == {"Nomsa Dlamini", "Thabo Nkosi"}


def test_passwords_are_in_no_output_and_no_report(house, file, dump, tmp_path):
    report = tmp_path / "report.csv"
    shown = house("import", "subscribers", file, *ISP, "--report", str(report))
    told = house("import", "freeradius", dump, *ISP, "--dry-run", "--json")
    for text in (shown.out, shown.err, report.read_text(), told.out, told.err):
        assert "secret" not in text


@pytest.mark.parametrize("name", ["report.csv", "report.jsonl"])
def test_the_report_tells_all_but_the_unchanged(house, file, tmp_path, name):
    report = tmp_path / name
    house("import", "subscribers", file, *ISP, "--report", str(report))
    assert report.stat().st_mode & 0o077 == 0
    if name.endswith("csv"):
        rows = list(csv.DictReader(report.open(encoding="utf-8")))
    else:
        rows = [json.loads(line) for line in report.read_text().splitlines()]
    refused = [row for row in rows if row["outcome"] == "refused"]
    assert [(int(row["line"]), row["field"]) for row in refused] == [(4, "product")]
    assert len([row for row in rows if row["outcome"] == "created"]) == 9


def test_strict_ends_with_an_exit_code(house, file):
    shown = house("import", "subscribers", file, *ISP, "--strict", code=1)
    assert "Stopped at the first line that is refused" in shown.out


def test_columns_by_other_names_and_encodings(house, tmp_path):
    path = tmp_path / "alt.csv"
    path.write_bytes(
        "Código;Nome;Endereço;Plano;Login;Obs\nC1;João;Rua Três 1;home-100;joao;x\n".encode(
            "latin-1"
        )
    )
    names = ("Código=customer_ref", "Nome=first_name", "Endereço=full_address")
    more = ("Plano=product", "Login=username", "Obs=")
    flags = [flag for name in (*names, *more) for flag in ("--map", name)]
    refused = house("import", "subscribers", str(path), *ISP, *flags, code=1)
    assert "is not utf-8 text; --encoding latin-1" in refused.err
    house("import", "subscribers", str(path), *ISP, *flags, "--encoding", "latin-1")
    (customer,) = house("customer", "list", *ISP, "--json").json
    assert customer["name"] == "João"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--map", "x"), "'x' is not HEADER=COLUMN"),
        (("--map", "x=y"), "y is no column"),
        (("--encoding", "ebcdic"), "--encoding is one of"),
        (("--network", "sul"), "there is no network sul"),
        (("--realm", "calma.example"), "there is no realm calma.example"),
        (("--delimiter", ";;"), "--delimiter is one character"),
    ],
)
def test_flags_that_cannot_be_are_refused(house, file, flags, message):
    assert message in house("import", "subscribers", file, *ISP, *flags, code=1).err


def test_a_header_that_is_not_known_is_told_with_its_like(house, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("customer_ref,firstname\nC1,Ana\n", encoding="utf-8")
    told = house("import", "subscribers", str(path), *ISP, code=1).err
    assert "'firstname' that is not known (is it first_name?)" in told


def test_a_freeradius_is_brought_nases_by_the_owner_and_users_by_the_isp(house, dump):
    nases = house("import", "freeradius", dump, "--tenant", "fibra", "--only", "nas", "--json").json
    assert nases["counts"] == {"nas": {"created": 1}}
    users = house("import", "freeradius", dump, *ISP, "--only", "users", "--json").json
    assert users["counts"]["service"] == {"created": 1}
    assert "has no speed" in users["refused"][0]["reason"]
    wider = ("--only", "users", "--default-speed", "5M/1M")
    again = house("import", "freeradius", dump, *ISP, *wider, "--json").json
    assert again["counts"]["service"] == {"unchanged": 1, "created": 1}
    assert "NAS-Port-Type" in again["notes"][0]["reason"]


@pytest.mark.parametrize(
    ("source", "flags", "message"),
    [
        ("postgresql://u:hidden@127.0.0.1/radius", (), "says a password"),
        ("people.csv", (), "is named after no table"),
        ("radius.sql", ("--only", "all"), "all is none of nas, users, accounting"),
        ("radius.sql", ("--default-speed", "fast"), "'fast' is no speed"),
        ("radius.sql", ("--timezone", "Mars/Base"), "Mars/Base is not known"),
        ("missing.sql", (), "No such file"),
    ],
)
def test_sources_that_cannot_be_are_refused(house, tmp_path, source, flags, message):
    if "://" not in source:
        source = str(tmp_path / source)
    (tmp_path / "radius.sql").write_text(DUMP, encoding="utf-8")
    (tmp_path / "people.csv").write_text("a\n1\n", encoding="utf-8")
    told = house("import", "freeradius", source, *ISP, *flags, code=1)
    assert message in told.err
    assert "hidden" not in told.err


def test_every_column_is_listed_and_documented(bare):
    listed = [one["column"] for one in bare("import", "columns", "--json").json]
    page = (Path(__file__).parents[3] / "docs" / "moving.md").read_text(encoding="utf-8")
    missing = [name for name in listed if f"`{name}`" not in page and "_id" not in name]
    assert missing == []


def test_the_example_of_the_page_can_be_brought(house, tmp_path):
    page = (Path(__file__).parents[3] / "docs" / "moving.md").read_text(encoding="utf-8")
    path = tmp_path / "crm.csv"
    path.write_text(page.split("```csv\n")[1].split("```")[0], encoding="utf-8")
    told = house("import", "subscribers", str(path), *ISP, "--json").json
    assert told["refused"] == []
    assert told["counts"]["service"] == {"created": 2}
    assert told["counts"]["customer"] == {"created": 1, "unchanged": 1}
