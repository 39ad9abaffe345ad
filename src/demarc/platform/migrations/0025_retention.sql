-- For how long what is kept: one table of rules, of the installation and, for longer, of tenants.
-- A kind without a row has the time that comes with Demarc.

CREATE TABLE retention_rule (
    id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    kind      text NOT NULL,
    -- null: of the whole installation
    tenant_id uuid REFERENCES tenant,
    -- null: for good
    days      integer CHECK (days > 0),
    set_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (kind, tenant_id)
);

-- What was let go when the rules were applied.
CREATE TABLE retention_applied (
    kind       text PRIMARY KEY,
    applied_at timestamptz NOT NULL,
    removed    bigint NOT NULL,
    in_all     bigint NOT NULL
);

ALTER TABLE retention_rule ENABLE ROW LEVEL SECURITY;
ALTER TABLE retention_applied ENABLE ROW LEVEL SECURITY;
CREATE POLICY system ON retention_rule TO demarc_system USING (true) WITH CHECK (true);
CREATE POLICY system ON retention_applied TO demarc_system USING (true) WITH CHECK (true);
CREATE POLICY sees ON retention_rule FOR SELECT TO demarc_app
    USING (tenant_id IS NULL OR tenant_id = (SELECT demarc_tenant()));
GRANT SELECT, INSERT, UPDATE, DELETE ON retention_rule, retention_applied TO demarc_system;
GRANT SELECT ON retention_rule TO demarc_app;

-- Somebody who is forgotten: when, and until when name and tax number are kept all the same.
ALTER TABLE customer
    ADD COLUMN erased_at timestamptz,
    ADD COLUMN identity_until date;
CREATE INDEX customer_identity ON customer (identity_until) WHERE identity_until IS NOT NULL;

-- The audit log is written, and not rewritten, by those it is about.
DROP POLICY updates ON audit;
DROP POLICY deletes ON audit;
REVOKE UPDATE, DELETE ON audit FROM demarc_app;

-- Searching it: text equality is leakproof, so that the policy of row-level security and these
-- conditions use one index.
CREATE INDEX audit_actor ON audit (tenant_id, actor_name, at, id);
CREATE INDEX audit_action ON audit (tenant_id, kind, action, at, id);
CREATE INDEX audit_at ON audit (at, id);
