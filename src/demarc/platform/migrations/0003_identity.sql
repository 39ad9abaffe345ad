-- Organisations, their networks, people, API clients and what they did.
-- An organisation that owns a network is its FNO; one that sells on it is an ISP; it may be both.

CREATE TABLE tenant (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    slug       text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name       text NOT NULL,
    timezone   text NOT NULL DEFAULT 'UTC',
    locale     text NOT NULL DEFAULT 'en',
    country    char(2),
    currency   char(3),
    -- how log-ins of new services are made: {number} is the service's number within the tenant
    login_pattern text NOT NULL DEFAULT '{number:06d}',
    -- what moves a service from pending installation to active
    activate_on   text[] NOT NULL DEFAULT '{accept,onu_online}',
    last_service_number bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE network (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id   uuid NOT NULL REFERENCES tenant,
    slug       text NOT NULL UNIQUE,
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (id, owner_id)
);

CREATE TABLE network_isp (
    network_id uuid NOT NULL,
    owner_id   uuid NOT NULL,
    tenant_id  uuid NOT NULL REFERENCES tenant,
    since      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (network_id, tenant_id),
    FOREIGN KEY (network_id, owner_id) REFERENCES network (id, owner_id)
);
CREATE INDEX network_isp_tenant ON network_isp (tenant_id);

CREATE TABLE person (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email         text NOT NULL UNIQUE CHECK (email = lower(email)),
    name          text NOT NULL,
    password_hash text NOT NULL,
    disabled_at   timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE person_role (
    person_id uuid NOT NULL REFERENCES person ON DELETE CASCADE,
    tenant_id uuid NOT NULL REFERENCES tenant,
    role      text NOT NULL CHECK (role IN ('admin', 'noc', 'support', 'field', 'readonly')),
    PRIMARY KEY (person_id, tenant_id)
);
CREATE INDEX person_role_tenant ON person_role (tenant_id);

CREATE TABLE api_client (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id   uuid NOT NULL REFERENCES tenant,
    api         text NOT NULL CHECK (api IN ('aex', 'fno', 'hubsoft', 'flashman', 'krill', 'peplink')),
    name        text NOT NULL,
    scopes      text[] NOT NULL DEFAULT '{read,write}',
    disabled_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, api, name)
);

CREATE TABLE api_token (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    api_client_id uuid NOT NULL REFERENCES api_client ON DELETE CASCADE,
    tenant_id     uuid NOT NULL REFERENCES tenant,
    digest        bytea NOT NULL UNIQUE,
    hint          text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz,
    revoked_at    timestamptz
);
CREATE INDEX api_token_client ON api_token (api_client_id);

CREATE TABLE audit (
    id         bigint GENERATED ALWAYS AS IDENTITY,
    at         timestamptz NOT NULL DEFAULT now(),
    tenant_id  uuid,
    actor_kind text NOT NULL CHECK (actor_kind IN ('person', 'client', 'system')),
    actor_id   uuid,
    actor_name text NOT NULL,
    action     text NOT NULL,
    kind       text NOT NULL,
    key        uuid NOT NULL,
    before     jsonb,
    after      jsonb,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE INDEX audit_key ON audit (kind, key, at);
CREATE INDEX audit_tenant ON audit (tenant_id, at);

-- What an API calls a thing where that is not our own id: imported ids, numbers.
CREATE TABLE wire_id (
    api       text NOT NULL,
    tenant_id uuid NOT NULL REFERENCES tenant,
    kind      text NOT NULL,
    value     text NOT NULL,
    entity_id uuid NOT NULL,
    PRIMARY KEY (api, tenant_id, kind, value),
    UNIQUE (api, tenant_id, kind, entity_id)
);

CREATE TRIGGER tenant_changed AFTER INSERT OR UPDATE OR DELETE ON tenant
    FOR EACH ROW EXECUTE FUNCTION demarc_log_change('tenant', 'id', 'id');
CREATE TRIGGER network_isp_changed AFTER INSERT OR UPDATE OR DELETE ON network_isp
    FOR EACH ROW EXECUTE FUNCTION demarc_log_change('network_isp', 'network_id', 'tenant_id');
CREATE TRIGGER person_changed AFTER UPDATE OR DELETE ON person
    FOR EACH ROW EXECUTE FUNCTION demarc_log_change('person', 'id', '');
CREATE TRIGGER person_role_changed AFTER INSERT OR UPDATE OR DELETE ON person_role
    FOR EACH ROW EXECUTE FUNCTION demarc_log_change('person', 'person_id', 'tenant_id');
CREATE TRIGGER api_client_changed AFTER UPDATE OR DELETE ON api_client
    FOR EACH ROW EXECUTE FUNCTION demarc_log_change('api_client', 'id', 'tenant_id');
CREATE TRIGGER api_token_changed AFTER UPDATE OR DELETE ON api_token
    FOR EACH ROW EXECUTE FUNCTION demarc_log_change('api_token', 'id', 'tenant_id');
