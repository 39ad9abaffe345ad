-- Equipment in the subscriber's home: who it is, how it stands, its parameters as last known.

CREATE TABLE cpe (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- null: nobody's yet, in quarantine
    tenant_id        uuid REFERENCES tenant,
    oui              text NOT NULL,
    product_class    text NOT NULL DEFAULT '',
    serial_number    text NOT NULL CHECK (serial_number <> ''),
    manufacturer     text NOT NULL DEFAULT '',
    -- as "02:00:5E:00:53:01"
    mac              text,
    state            text NOT NULL DEFAULT 'quarantined'
        CHECK (state IN ('quarantined', 'managed', 'retired')),
    -- of its data model: "InternetGatewayDevice." or "Device."; empty before its first Inform
    root             text NOT NULL DEFAULT '',
    family           text,
    model            text NOT NULL DEFAULT '',
    hardware_version text NOT NULL DEFAULT '',
    software_version text NOT NULL DEFAULT '',
    -- what it proves itself with, and what it is being given in its place
    acs_username     text,
    acs_secret       bytea,
    acs_next_secret  bytea,
    -- where it is called, and what we prove ourselves with there
    request_url      text,
    request_username text,
    request_secret   bytea,
    inform_interval  integer NOT NULL DEFAULT 300 CHECK (inform_interval BETWEEN 10 AND 2592000),
    reach            text NOT NULL DEFAULT 'default',
    first_seen_at    timestamptz NOT NULL DEFAULT now(),
    adopted_at       timestamptz,
    bootstrap_at     timestamptz,
    boot_at          timestamptz,
    updated_at       timestamptz NOT NULL DEFAULT now(),
    UNIQUE (oui, serial_number, product_class),
    UNIQUE (tenant_id, id),
    CHECK ((state = 'quarantined') = (tenant_id IS NULL))
);
CREATE UNIQUE INDEX cpe_acs_username ON cpe (acs_username) WHERE acs_username IS NOT NULL;
CREATE INDEX cpe_mac ON cpe (mac);
CREATE INDEX cpe_serial ON cpe (serial_number);
CREATE INDEX cpe_tenant ON cpe (tenant_id, id);

-- What the devices of a tenant prove themselves with before they have passwords of their own: as the
-- maker put it in for the tenant, or the tenant itself. Whoever knows it may be given a device's
-- settings, so that it is worth keeping secret.
CREATE TABLE cpe_bootstrap (
    id         uuid PRIMARY KEY,
    tenant_id  uuid NOT NULL REFERENCES tenant,
    username   text NOT NULL UNIQUE CHECK (username <> ''),
    secret     bytea NOT NULL,
    -- devices nobody knows become the tenant's at once
    adopts     boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- What every session changes; nothing of it is indexed, so that updates stay in their page.
CREATE TABLE cpe_status (
    cpe_id      uuid PRIMARY KEY REFERENCES cpe ON DELETE CASCADE,
    tenant_id   uuid,
    contact_at  timestamptz,
    address     inet,
    events      text[] NOT NULL DEFAULT '{}',
    sessions    bigint NOT NULL DEFAULT 0,
    -- when it was called last, and why that did not reach it; null when it did
    called_at   timestamptz,
    call_fault  text,
    -- when each kind of things was read last: {"wifi": "2026-11-20T12:00:00Z"}
    read_at     jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = 70);

-- A branch of a device's parameters: {"SSID": [value, type, writable, seconds since 1970]}, the time
-- being that of the last change. What is secret is not here but in cpe_secret.
CREATE TABLE cpe_branch (
    cpe_id    uuid NOT NULL REFERENCES cpe ON DELETE CASCADE,
    path      text NOT NULL,
    tenant_id uuid,
    leaves    jsonb NOT NULL,
    PRIMARY KEY (cpe_id, path)
);

-- Parameters that are nobody's business but the subscriber's, encrypted.
CREATE TABLE cpe_secret (
    id        uuid PRIMARY KEY,
    cpe_id    uuid NOT NULL REFERENCES cpe ON DELETE CASCADE,
    path      text NOT NULL,
    tenant_id uuid,
    secret    bytea NOT NULL,
    UNIQUE (cpe_id, path)
);

-- Secret values that a command is to set: they stand in no request.
CREATE TABLE cpe_wanted (
    id         uuid PRIMARY KEY,
    command_id uuid NOT NULL REFERENCES command ON DELETE CASCADE,
    tenant_id  uuid NOT NULL,
    path       text NOT NULL,
    type       text NOT NULL,
    secret     bytea NOT NULL
);
CREATE INDEX cpe_wanted_command ON cpe_wanted (command_id);

-- Which service a device serves, and when it did.
CREATE TABLE cpe_service (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    cpe_id     uuid NOT NULL REFERENCES cpe ON DELETE CASCADE,
    service_id uuid NOT NULL,
    tenant_id  uuid NOT NULL,
    since      timestamptz NOT NULL DEFAULT now(),
    until      timestamptz,
    FOREIGN KEY (tenant_id, service_id) REFERENCES service (tenant_id, id)
);
CREATE UNIQUE INDEX cpe_service_now ON cpe_service (cpe_id) WHERE until IS NULL;
CREATE INDEX cpe_service_service ON cpe_service (service_id);

-- The session a device is in; it is worth nothing after a crash.
CREATE UNLOGGED TABLE cpe_session (
    cpe_id     uuid PRIMARY KEY,
    token      bytea NOT NULL,
    node       text NOT NULL,
    began_at   timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);

CREATE INDEX command_target_open ON command (target_id) WHERE state IN ('queued', 'sent');
CREATE INDEX command_target ON command (target_id, created_at) WHERE target_kind = 'cpe';

DO $$
DECLARE
    rule record;
BEGIN
    FOR rule IN
        SELECT * FROM (VALUES
            ('cpe', 'tenant_id = (SELECT demarc_tenant())', true),
            ('cpe_status', 'tenant_id = (SELECT demarc_tenant())', false),
            ('cpe_branch', 'tenant_id = (SELECT demarc_tenant())', false),
            ('cpe_secret', 'tenant_id = (SELECT demarc_tenant())', false),
            ('cpe_service', 'tenant_id = (SELECT demarc_tenant())', true),
            ('cpe_wanted', 'tenant_id = (SELECT demarc_tenant())', true),
            ('cpe_bootstrap', 'tenant_id = (SELECT demarc_tenant())', true),
            -- for the system's role alone
            ('cpe_session', NULL, false)
        ) AS t (name, sees, writes)
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', rule.name);
        EXECUTE format('CREATE POLICY system ON %I TO demarc_system USING (true) WITH CHECK (true)', rule.name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO demarc_system', rule.name);
        IF rule.sees IS NOT NULL THEN
            EXECUTE format('GRANT SELECT ON %I TO demarc_app', rule.name);
            EXECUTE format('CREATE POLICY sees ON %I FOR SELECT TO demarc_app USING (%s)', rule.name, rule.sees);
        END IF;
        IF rule.writes THEN
            EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %I TO demarc_app', rule.name);
            EXECUTE format('CREATE POLICY inserts ON %I FOR INSERT TO demarc_app WITH CHECK (%s)', rule.name, rule.sees);
            EXECUTE format('CREATE POLICY updates ON %I FOR UPDATE TO demarc_app USING (%s) WITH CHECK (%s)', rule.name, rule.sees, rule.sees);
            EXECUTE format('CREATE POLICY deletes ON %I FOR DELETE TO demarc_app USING (%s)', rule.name, rule.sees);
        END IF;
    END LOOP;
END
$$;

CREATE TRIGGER cpe_changed AFTER INSERT OR UPDATE OF tenant_id, state, acs_username, acs_secret,
        request_url, request_username, request_secret OR DELETE ON cpe
    FOR EACH ROW EXECUTE FUNCTION demarc_log_change('cpe', 'id', 'tenant_id');
