"""A FreeRADIUS's database: the tables of its stock PostgreSQL schema with a few invented rows.

Names and types of the columns are those FreeRADIUS 3 reads and writes.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from psycopg import sql

SCHEMA = """
CREATE TABLE radacct (
    RadAcctId bigserial PRIMARY KEY, AcctSessionId text NOT NULL,
    AcctUniqueId text NOT NULL UNIQUE, UserName text, GroupName text, Realm text,
    NASIPAddress inet NOT NULL, NASPortId text, NASPortType text,
    AcctStartTime timestamp with time zone, AcctUpdateTime timestamp with time zone,
    AcctStopTime timestamp with time zone, AcctInterval bigint, AcctSessionTime bigint,
    AcctAuthentic text, ConnectInfo_start text, ConnectInfo_stop text,
    AcctInputOctets bigint, AcctOutputOctets bigint, CalledStationId text,
    CallingStationId text, AcctTerminateCause text, ServiceType text, FramedProtocol text,
    FramedIPAddress inet, FramedIPv6Address inet, FramedIPv6Prefix inet, FramedInterfaceId text,
    DelegatedIPv6Prefix inet, Class text);
CREATE TABLE radcheck (
    id serial PRIMARY KEY, UserName text NOT NULL DEFAULT '', Attribute text NOT NULL DEFAULT '',
    op varchar(2) NOT NULL DEFAULT '==', Value text NOT NULL DEFAULT '');
CREATE INDEX radcheck_UserName ON radcheck (UserName, Attribute);
CREATE TABLE radgroupcheck (
    id serial PRIMARY KEY, GroupName text NOT NULL DEFAULT '', Attribute text NOT NULL DEFAULT '',
    op varchar(2) NOT NULL DEFAULT '==', Value text NOT NULL DEFAULT '');
CREATE TABLE radgroupreply (
    id serial PRIMARY KEY, GroupName text NOT NULL DEFAULT '', Attribute text NOT NULL DEFAULT '',
    op varchar(2) NOT NULL DEFAULT '=', Value text NOT NULL DEFAULT '');
CREATE TABLE radreply (
    id serial PRIMARY KEY, UserName text NOT NULL DEFAULT '', Attribute text NOT NULL DEFAULT '',
    op varchar(2) NOT NULL DEFAULT '=', Value text NOT NULL DEFAULT '');
CREATE TABLE radusergroup (
    id serial PRIMARY KEY, UserName text NOT NULL DEFAULT '', GroupName text NOT NULL DEFAULT '',
    priority integer NOT NULL DEFAULT 0);
CREATE TABLE radpostauth (
    id bigserial PRIMARY KEY, username text NOT NULL, pass text, reply text,
    authdate timestamp with time zone NOT NULL DEFAULT now());
CREATE TABLE nas (
    id serial PRIMARY KEY, nasname text NOT NULL, shortname text NOT NULL,
    type text NOT NULL DEFAULT 'other', ports integer, secret text NOT NULL, server text,
    community text, description text);
"""

Rows = Mapping[str, Iterable[Mapping[str, Any]]]


def fill(conninfo: str, rows: Rows) -> None:
    """Make the tables in an empty database, and write rows into them."""
    with psycopg.connect(conninfo) as conn:
        conn.execute(SCHEMA)
        for table, some in rows.items():
            for row in some:
                conn.execute(
                    sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                        sql.Identifier(table),
                        sql.SQL(", ").join(map(sql.Identifier, row)),
                        sql.SQL(", ").join([sql.Placeholder()] * len(row)),
                    ),
                    list(row.values()),
                )


def check(username: str, attribute: str, value: str, op: str = ":=") -> dict[str, str]:
    """Give a row of radcheck or radreply."""
    return {"username": username, "attribute": attribute, "op": op, "value": value}


def of_group(group: str, attribute: str, value: str, op: str = ":=") -> dict[str, str]:
    """Give a row of radgroupcheck or radgroupreply."""
    return {"groupname": group, "attribute": attribute, "op": op, "value": value}
