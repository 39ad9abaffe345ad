-- What the owner of a network operates, and the commands given to it.

CREATE TABLE pop (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id   uuid NOT NULL,
    network_id uuid NOT NULL,
    code       text NOT NULL,
    name       text NOT NULL,
    latitude   double precision,
    longitude  double precision,
    UNIQUE (network_id, code),
    UNIQUE (network_id, id),
    FOREIGN KEY (network_id, owner_id) REFERENCES network (id, owner_id)
);

-- A name space of log-ins. A qualified realm's log-ins are typed user@realm.
CREATE TABLE realm (
    id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL REFERENCES tenant,
    name      text NOT NULL UNIQUE CHECK (name = lower(name) AND name <> ''),
    qualified boolean NOT NULL DEFAULT true,
    UNIQUE (tenant_id, id)
);

CREATE TABLE nas (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id         uuid NOT NULL,
    network_id       uuid NOT NULL,
    pop_id           uuid,
    name             text NOT NULL,
    -- one host, or a prefix whose NASes share a secret; the longest match wins
    prefix           cidr NOT NULL UNIQUE,
    vendor           text NOT NULL DEFAULT 'generic' CHECK (vendor IN ('generic', 'mikrotik', 'huawei')),
    secret           bytea NOT NULL,
    coa_port         integer NOT NULL DEFAULT 3799 CHECK (coa_port BETWEEN 1 AND 65535),
    reach            text NOT NULL DEFAULT 'default',
    -- log-ins without a realm of their own belong to this one
    default_realm_id uuid REFERENCES realm,
    require_message_authenticator text NOT NULL DEFAULT 'auto'
        CHECK (require_message_authenticator IN ('yes', 'no', 'auto')),
    counters_reversed boolean NOT NULL DEFAULT false,
    interim_interval integer NOT NULL DEFAULT 300 CHECK (interim_interval BETWEEN 10 AND 86400),
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    UNIQUE (network_id, name),
    FOREIGN KEY (network_id, owner_id) REFERENCES network (id, owner_id),
    FOREIGN KEY (network_id, pop_id) REFERENCES pop (network_id, id)
);

CREATE TABLE ip_pool (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id   uuid NOT NULL,
    network_id uuid NOT NULL,
    -- set: for services of this ISP alone
    tenant_id  uuid REFERENCES tenant,
    name       text NOT NULL,
    prefix     cidr NOT NULL CHECK (family(prefix) = 4 AND masklen(prefix) >= 16),
    UNIQUE (network_id, name),
    UNIQUE (network_id, prefix),
    FOREIGN KEY (network_id, owner_id) REFERENCES network (id, owner_id)
);

-- A command to a device and what the device answered.
CREATE TABLE command (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id   uuid NOT NULL REFERENCES tenant,
    owner_id    uuid NOT NULL REFERENCES tenant,
    service_id  uuid,
    kind        text NOT NULL,
    target_kind text NOT NULL,
    target_id   uuid,
    reach       text NOT NULL DEFAULT 'default',
    state       text NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'sent', 'done', 'failed', 'expired')),
    request     jsonb NOT NULL DEFAULT '{}',
    answer      jsonb,
    fault       text,
    created_by  uuid,
    created_at  timestamptz NOT NULL DEFAULT now(),
    deadline    timestamptz NOT NULL,
    sent_at     timestamptz,
    finished_at timestamptz
);
CREATE INDEX command_service ON command (service_id, created_at);
CREATE INDEX command_open ON command (deadline) WHERE state IN ('queued', 'sent');

CREATE FUNCTION demarc_command_finished() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('demarc_command', NEW.id::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER command_finished AFTER UPDATE OF state ON command
    FOR EACH ROW WHEN (NEW.state IN ('done', 'failed', 'expired'))
    EXECUTE FUNCTION demarc_command_finished();

CREATE TRIGGER nas_changed AFTER INSERT OR UPDATE OR DELETE ON nas
    FOR EACH ROW EXECUTE FUNCTION demarc_log_change('nas', 'id', 'owner_id');
CREATE TRIGGER realm_changed AFTER INSERT OR UPDATE OR DELETE ON realm
    FOR EACH ROW EXECUTE FUNCTION demarc_log_change('realm', 'id', 'tenant_id');
