-- Credentials, addresses, attempts, sessions and usage.

CREATE TABLE credential (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id       uuid NOT NULL,
    owner_id        uuid NOT NULL,
    network_id      uuid NOT NULL,
    service_id      uuid NOT NULL,
    realm_id        uuid NOT NULL,
    kind            text NOT NULL DEFAULT 'pppoe' CHECK (kind IN ('pppoe', 'mac', 'circuit_id', 'dot1x')),
    -- without the realm; compared exactly, as RADIUS does
    username        text NOT NULL CHECK (username <> ''),
    secret          bytea,
    -- kept beside the service by its transitions, so that an Accept needs one row
    access          text NOT NULL DEFAULT 'allowed' CHECK (access IN ('allowed', 'suspended', 'closed')),
    download_bps    bigint NOT NULL,
    upload_bps      bigint NOT NULL,
    max_sessions    integer NOT NULL DEFAULT 4 CHECK (max_sessions BETWEEN 1 AND 1000),
    -- of the premise, where it has one, or of the tenant: its midnights part the days of usage
    timezone        text NOT NULL DEFAULT 'UTC',
    first_accept_at timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (realm_id, kind, username),
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, service_id) REFERENCES service (tenant_id, id),
    FOREIGN KEY (tenant_id, realm_id) REFERENCES realm (tenant_id, id)
);
CREATE INDEX credential_service ON credential (service_id);
CREATE INDEX credential_not_allowed ON credential (updated_at) WHERE access <> 'allowed';

-- Every address of every pool, free or leased: one owner each, by its primary key.
CREATE TABLE ip_address (
    network_id    uuid NOT NULL,
    address       inet NOT NULL,
    owner_id      uuid NOT NULL,
    pool_id       uuid REFERENCES ip_pool ON DELETE CASCADE,
    -- as the pool's tenant: set, only services of this ISP get it
    reserved_for  uuid,
    credential_id uuid REFERENCES credential ON DELETE SET NULL,
    kind          text NOT NULL DEFAULT 'pooled' CHECK (kind IN ('pooled', 'static')),
    assigned_at   timestamptz,
    -- the Calling-Station-Id it was given to last, which gets it again
    station       text,
    -- a freed address rests for longer than any cache may still give it to its last holder
    free_from     timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (network_id, address)
);
CREATE INDEX ip_address_free ON ip_address (network_id, reserved_for, address)
    WHERE credential_id IS NULL AND pool_id IS NOT NULL;
CREATE INDEX ip_address_pool ON ip_address (pool_id);
CREATE INDEX ip_address_credential ON ip_address (credential_id) WHERE credential_id IS NOT NULL;

CREATE TABLE auth_attempt (
    at                 timestamptz NOT NULL,
    tenant_id          uuid NOT NULL,
    owner_id           uuid NOT NULL,
    credential_id      uuid NOT NULL,
    nas_id             uuid NOT NULL,
    accepted           boolean NOT NULL,
    reply              text NOT NULL,
    calling_station_id text
) PARTITION BY RANGE (at);
CREATE INDEX auth_attempt_credential ON auth_attempt (credential_id, at);

-- No index on a column that interims change: their updates stay in the page (HOT).
CREATE TABLE session_live (
    id                    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id             uuid NOT NULL,
    owner_id              uuid NOT NULL,
    service_id            uuid NOT NULL,
    credential_id         uuid NOT NULL,
    nas_id                uuid NOT NULL,
    nas_address           inet NOT NULL,
    acct_session_id       text NOT NULL,
    username              text NOT NULL,
    framed_ipv4           inet,
    framed_ipv6_prefix    inet,
    delegated_ipv6_prefix inet,
    calling_station_id    text,
    nas_port_id           text,
    started_at            timestamptz NOT NULL,
    -- Event-Timestamp of the newest packet that counted
    updated_at            timestamptz NOT NULL,
    session_seconds       bigint NOT NULL DEFAULT 0,
    input_octets          bigint NOT NULL DEFAULT 0,
    output_octets         bigint NOT NULL DEFAULT 0,
    ipv6_input_octets     bigint NOT NULL DEFAULT 0,
    ipv6_output_octets    bigint NOT NULL DEFAULT 0,
    -- whether its Start has come, or only what follows one
    start_told            boolean NOT NULL DEFAULT false
) WITH (fillfactor = 70);
-- Some NASes send one Acct-Session-Id for all: what else tells sessions apart stands beside it.
CREATE UNIQUE INDEX session_live_key ON session_live
    (nas_id, nas_address, acct_session_id, credential_id,
     coalesce(calling_station_id, ''), coalesce(framed_ipv4, '0.0.0.0'));
CREATE INDEX session_live_address ON session_live (framed_ipv4);
CREATE INDEX session_live_credential ON session_live (credential_id);
CREATE INDEX session_live_service ON session_live (service_id);

CREATE TABLE session_closed (
    id                    uuid NOT NULL,
    tenant_id             uuid NOT NULL,
    owner_id              uuid NOT NULL,
    service_id            uuid NOT NULL,
    credential_id         uuid NOT NULL,
    nas_id                uuid NOT NULL,
    nas_address           inet NOT NULL,
    acct_session_id       text NOT NULL,
    username              text NOT NULL,
    framed_ipv4           inet,
    framed_ipv6_prefix    inet,
    delegated_ipv6_prefix inet,
    calling_station_id    text,
    nas_port_id           text,
    started_at            timestamptz NOT NULL,
    updated_at            timestamptz NOT NULL,
    ended_at              timestamptz NOT NULL,
    session_seconds       bigint NOT NULL,
    input_octets          bigint NOT NULL,
    output_octets         bigint NOT NULL,
    ipv6_input_octets     bigint NOT NULL,
    ipv6_output_octets    bigint NOT NULL,
    start_told            boolean NOT NULL DEFAULT false,
    terminate_cause       text NOT NULL,
    PRIMARY KEY (id, ended_at)
) PARTITION BY RANGE (ended_at);
CREATE INDEX session_closed_key ON session_closed (nas_id, acct_session_id, credential_id, ended_at);
CREATE INDEX session_closed_service ON session_closed (service_id, ended_at);
CREATE INDEX session_closed_address ON session_closed (framed_ipv4, ended_at);

-- Octets by local day; totals include IPv6. "down" is towards the subscriber.
CREATE TABLE usage_daily (
    service_id       uuid NOT NULL,
    day              date NOT NULL,
    tenant_id        uuid NOT NULL,
    owner_id         uuid NOT NULL,
    down_octets      bigint NOT NULL DEFAULT 0,
    up_octets        bigint NOT NULL DEFAULT 0,
    ipv6_down_octets bigint NOT NULL DEFAULT 0,
    ipv6_up_octets   bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (service_id, day)
) PARTITION BY RANGE (day);

-- Accounting that could be kept but not applied: acknowledged, never lost, for a person to see.
CREATE TABLE accounting_quarantine (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now(),
    owner_id    uuid,
    nas_id      uuid,
    reason      text NOT NULL,
    packet      bytea NOT NULL
);
CREATE INDEX accounting_quarantine_at ON accounting_quarantine (received_at);

CREATE TRIGGER credential_changed AFTER INSERT OR UPDATE OF secret, access, download_bps, upload_bps,
        max_sessions, timezone, username, realm_id OR DELETE ON credential
    FOR EACH ROW EXECUTE FUNCTION demarc_log_change('credential', 'id', 'tenant_id');

-- Further addresses of a credential are part of what is cached of it.
CREATE TRIGGER ip_address_changed AFTER INSERT OR UPDATE OF credential_id, kind ON ip_address
    FOR EACH ROW WHEN (NEW.credential_id IS NOT NULL)
    EXECUTE FUNCTION demarc_log_change('credential', 'credential_id', '');

-- A log-in as its subscriber types it. The owner of a network sees the log-ins on it, though not
-- the realms of the ISPs.
CREATE FUNCTION demarc_login(realm_of_login uuid, username text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT username || CASE WHEN r.qualified THEN '@' || r.name ELSE '' END
    FROM realm r WHERE r.id = realm_of_login
$$;

-- Where the workers are that reach a NAS. An ISP ends sessions on NASes it does not see.
CREATE FUNCTION demarc_nas_reach(wanted uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT reach FROM nas WHERE id = wanted
$$;

-- Whether a session still uses an address. Another ISP's sessions count, though they are not seen.
CREATE FUNCTION demarc_in_session(owner uuid, wanted inet) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT EXISTS (SELECT 1 FROM session_live WHERE framed_ipv4 = wanted AND owner_id = owner)
$$;
