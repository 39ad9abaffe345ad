-- What somebody may do is data: a role is a set of permissions, "family:verb", with * for any.
-- Without a tenant it is everybody's, and comes with Demarc; with one it is that organisation's own.

CREATE TABLE role (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id   uuid REFERENCES tenant,
    name        text NOT NULL CHECK (name ~ '^[a-z][a-z0-9-]{0,31}$'),
    title       text NOT NULL CHECK (title <> ''),
    permissions text[] NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (tenant_id, name)
);

INSERT INTO role (name, title, permissions) VALUES
    ('admin', 'Administrator', '{*:*}'),
    ('noc', 'NOC', '{*:read,service:*,device:*,session:*,login:*,premise:*}'),
    ('support', 'Support desk', '{*:read,customer:*,premise:*,service:*,device:operate,login:reveal}'),
    ('field', 'Field crew', '{*:read,premise:*,service:update,device:*,login:reveal}'),
    ('finance', 'Finance', '{customer:*,product:read,service:read,service:operate,service:end,usage:read}'),
    ('readonly', 'Read-only', '{*:read}'),
    ('integrator', 'Integrator', '{*:*}');

-- in force since: who has roles at several organisations acts for the first of them
ALTER TABLE person_role
    DROP CONSTRAINT person_role_role_check,
    ADD COLUMN since timestamptz NOT NULL DEFAULT now();

ALTER TABLE api_client ADD COLUMN role text NOT NULL DEFAULT 'integrator';

ALTER TABLE role ENABLE ROW LEVEL SECURITY;
CREATE POLICY system ON role TO demarc_system USING (true) WITH CHECK (true);
CREATE POLICY sees ON role FOR SELECT TO demarc_app
    USING (tenant_id IS NULL OR tenant_id = (SELECT demarc_tenant()));
CREATE POLICY inserts ON role FOR INSERT TO demarc_app
    WITH CHECK (tenant_id = (SELECT demarc_tenant()));
CREATE POLICY updates ON role FOR UPDATE TO demarc_app
    USING (tenant_id = (SELECT demarc_tenant())) WITH CHECK (tenant_id = (SELECT demarc_tenant()));
CREATE POLICY deletes ON role FOR DELETE TO demarc_app
    USING (tenant_id = (SELECT demarc_tenant()));
GRANT SELECT, INSERT, UPDATE, DELETE ON role TO demarc_app, demarc_system;

CREATE TRIGGER role_changed AFTER INSERT OR UPDATE OR DELETE ON role
    FOR EACH ROW EXECUTE FUNCTION demarc_log_change('role', 'id', 'tenant_id');

