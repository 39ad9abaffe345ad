-- Log-ins by MAC address and by line, beside those by name.

ALTER TABLE nas
    -- whether it may log a station in by its MAC address alone
    ADD COLUMN mac_authentication boolean NOT NULL DEFAULT false,
    -- whether it may log a line in by its name alone (Agent-Circuit-Id, RFC 4679, or User-Name)
    ADD COLUMN circuit_authentication boolean NOT NULL DEFAULT false;

-- A name is one of its realm, for good. A MAC or a line is one of the network, whichever ISP's it
-- is, until its service ends: then it may be another's.
ALTER TABLE credential DROP CONSTRAINT credential_realm_id_kind_username_key;
CREATE UNIQUE INDEX credential_name ON credential (realm_id, kind, username,
    (CASE WHEN kind IN ('mac', 'circuit_id') THEN id
          ELSE '00000000-0000-0000-0000-000000000000'::uuid END));
CREATE UNIQUE INDEX credential_line ON credential (network_id, kind, username)
    WHERE kind IN ('mac', 'circuit_id') AND access <> 'closed';
