-- How packets come and go: policy for each client, RadSec, proxying by realm, several nodes.

ALTER TABLE nas
    -- whether an unsigned Access-Request with Proxy-State is dropped; "auto": unless
    -- Message-Authenticator is never required
    ADD COLUMN limit_proxy_state text NOT NULL DEFAULT 'auto'
        CHECK (limit_proxy_state IN ('yes', 'no', 'auto')),
    -- by which a RadSec client is known: a subject alternative name, a common name, or
    -- "sha256:" and the fingerprint; in lower case
    ADD COLUMN certificate text UNIQUE CHECK (certificate <> '' AND certificate = lower(certificate));

-- The addresses that have proved to know a NAS's secret. No index on what is updated: the updates
-- stay in the page (HOT).
CREATE TABLE nas_client (
    nas_id           uuid NOT NULL REFERENCES nas ON DELETE CASCADE,
    address          inet NOT NULL,
    owner_id         uuid NOT NULL,
    -- since then it must send Message-Authenticator, where the NAS's policy is "auto"
    first_signed_at  timestamptz,
    -- signatures from before do not count any more
    unlocked_at      timestamptz,
    last_seen_at     timestamptz NOT NULL,
    last_answered_at timestamptz,
    PRIMARY KEY (nas_id, address)
) WITH (fillfactor = 70);

CREATE TRIGGER nas_client_signs AFTER INSERT ON nas_client
    FOR EACH ROW WHEN (NEW.first_signed_at IS NOT NULL)
    EXECUTE FUNCTION demarc_log_change('nas_client', 'nas_id', 'owner_id');
CREATE TRIGGER nas_client_locked AFTER UPDATE OF first_signed_at ON nas_client
    FOR EACH ROW WHEN ((OLD.first_signed_at IS NULL) <> (NEW.first_signed_at IS NULL))
    EXECUTE FUNCTION demarc_log_change('nas_client', 'nas_id', 'owner_id');

-- A realm whose log-ins are an ISP's own AAA's to answer.
CREATE TABLE realm_proxy (
    realm_id      uuid PRIMARY KEY,
    tenant_id     uuid NOT NULL,
    -- accounting is booked here too, where the log-in exists here
    books_locally boolean NOT NULL DEFAULT false,
    -- attributes of an Accept that reach the NAS beside those that always do
    allowed       text[] NOT NULL DEFAULT '{}',
    FOREIGN KEY (tenant_id, realm_id) REFERENCES realm (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE home_server (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id  uuid NOT NULL,
    realm_id   uuid NOT NULL REFERENCES realm_proxy ON DELETE CASCADE,
    name       text NOT NULL CHECK (name <> ''),
    transport  text NOT NULL CHECK (transport IN ('udp', 'radsec')),
    address    inet NOT NULL,
    -- null: it is not asked for that; RadSec has one port for both
    auth_port  integer CHECK (auth_port BETWEEN 1 AND 65535),
    acct_port  integer CHECK (acct_port BETWEEN 1 AND 65535),
    -- RadSec's is public (RFC 6614, 2.3)
    secret     bytea,
    -- the name its certificate must have; null for its address
    certificate text,
    -- the lowest that lives is asked
    priority   integer NOT NULL DEFAULT 10,
    timeout_ms integer NOT NULL DEFAULT 3000 CHECK (timeout_ms BETWEEN 100 AND 60000),
    -- whether it answers Status-Server (RFC 5997)
    status_server boolean NOT NULL DEFAULT true,
    require_message_authenticator text NOT NULL DEFAULT 'auto'
        CHECK (require_message_authenticator IN ('yes', 'no', 'auto')),
    UNIQUE (realm_id, name),
    CHECK (auth_port IS NOT NULL OR acct_port IS NOT NULL),
    CHECK (transport = 'radsec' OR secret IS NOT NULL)
);

CREATE TRIGGER realm_proxy_changed AFTER INSERT OR UPDATE OR DELETE ON realm_proxy
    FOR EACH ROW EXECUTE FUNCTION demarc_log_change('realm', 'realm_id', 'tenant_id');
CREATE TRIGGER home_server_changed AFTER INSERT OR UPDATE OR DELETE ON home_server
    FOR EACH ROW EXECUTE FUNCTION demarc_log_change('realm', 'realm_id', 'tenant_id');

-- The RADIUS processes on this database that live.
CREATE TABLE radius_node (
    id         uuid PRIMARY KEY,
    name       text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    heard_at   timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

CREATE FUNCTION demarc_several_nodes() RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT count(*) > 1 FROM radius_node WHERE heard_at > clock_timestamp() - interval '10 seconds'
$$;

-- Each node knows of the sessions it was told of itself. Where there are others, they are told
-- whose sessions began or ended, and read those. Interims change a session and tell nobody.
CREATE FUNCTION demarc_tell_sessions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF demarc_several_nodes() THEN
        INSERT INTO change (tenant_id, kind, key, operation)
        SELECT DISTINCT tenant_id, 'session', credential_id, lower(TG_OP) FROM touched;
        IF FOUND THEN
            PERFORM pg_notify('demarc_change', 'session');
        END IF;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER session_live_begun AFTER INSERT ON session_live
    REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION demarc_tell_sessions();
CREATE TRIGGER session_live_ended AFTER DELETE ON session_live
    REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION demarc_tell_sessions();

-- Row-level security, as in 0010 and 0013.
DO $$
DECLARE
    rule record;
BEGIN
    FOR rule IN
        SELECT * FROM (VALUES
            ('nas_client', 'owner_id = (SELECT demarc_tenant())'),
            ('realm_proxy', 'tenant_id = (SELECT demarc_tenant())'),
            ('home_server', 'tenant_id = (SELECT demarc_tenant())'),
            ('radius_node', NULL)
        ) AS t (name, sees)
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', rule.name);
        EXECUTE format('CREATE POLICY system ON %I TO demarc_system USING (true) WITH CHECK (true)', rule.name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO demarc_system', rule.name);
        IF rule.sees IS NOT NULL THEN
            EXECUTE format('GRANT SELECT ON %I TO demarc_app', rule.name);
            EXECUTE format('CREATE POLICY sees ON %I FOR SELECT TO demarc_app USING (%s)', rule.name, rule.sees);
        END IF;
    END LOOP;
END
$$;
