-- Row-level security: what exists for a transaction of the application's role.
-- Every table of ours is here; a test holds this list against the catalog.

-- The owner of a network learns who its customers are only with their consent.
CREATE FUNCTION demarc_owner_may_know(customer uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT EXISTS (SELECT 1 FROM consent c
                   WHERE c.customer_id = customer AND c.purpose = 'fno' AND c.withdrawn_at IS NULL)
       AND EXISTS (SELECT 1 FROM service s
                   WHERE s.customer_id = customer AND s.owner_id = demarc_tenant())
$$;

-- The owners of the networks the tenant sells on, and itself.
CREATE FUNCTION demarc_owners() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT owner_id FROM network_isp WHERE tenant_id = demarc_tenant()
    UNION SELECT demarc_tenant()
$$;

-- The networks the tenant sells on or owns.
CREATE FUNCTION demarc_networks() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT network_id FROM network_isp WHERE tenant_id = demarc_tenant()
    UNION SELECT id FROM network WHERE owner_id = demarc_tenant()
$$;

DO $$
DECLARE
    rule record;
BEGIN
    FOR rule IN
        SELECT * FROM (VALUES
            -- table, who may see a row, who may write it (null: nobody)
            ('tenant', 'id = demarc_tenant()', 'id = demarc_tenant()'),
            ('network', 'id IN (SELECT demarc_networks())', 'owner_id = demarc_tenant()'),
            ('network_isp', 'tenant_id = demarc_tenant() OR owner_id = demarc_tenant()', 'owner_id = demarc_tenant()'),
            ('person_role', 'tenant_id = demarc_tenant()', 'tenant_id = demarc_tenant()'),
            ('api_client', 'tenant_id = demarc_tenant()', 'tenant_id = demarc_tenant()'),
            ('api_token', 'tenant_id = demarc_tenant()', 'tenant_id = demarc_tenant()'),
            ('audit', 'tenant_id = demarc_tenant()', 'tenant_id = demarc_tenant()'),
            ('wire_id', 'tenant_id = demarc_tenant()', 'tenant_id = demarc_tenant()'),
            ('idempotency', 'tenant_id = demarc_tenant()', 'tenant_id = demarc_tenant()'),
            ('area', 'network_id IN (SELECT demarc_networks())', 'owner_id = demarc_tenant()'),
            ('product', '(isp_id IS NULL OR isp_id = demarc_tenant() OR owner_id = demarc_tenant()) AND network_id IN (SELECT demarc_networks())', 'owner_id = demarc_tenant()'),
            ('product_area', 'network_id IN (SELECT demarc_networks())', 'network_id IN (SELECT demarc_networks())'),
            ('customer', 'tenant_id = demarc_tenant() OR (tenant_id IS NULL AND owner_id IN (SELECT demarc_owners())) OR demarc_owner_may_know(id)',
                         'tenant_id = demarc_tenant() OR (tenant_id IS NULL AND owner_id = demarc_tenant())'),
            ('address', 'network_id IN (SELECT demarc_networks())', 'network_id IN (SELECT demarc_networks())'),
            ('premise', 'network_id IN (SELECT demarc_networks())', 'network_id IN (SELECT demarc_networks())'),
            ('pop', 'network_id IN (SELECT demarc_networks())', 'owner_id = demarc_tenant()'),
            ('realm', 'tenant_id = demarc_tenant()', 'tenant_id = demarc_tenant()'),
            ('nas', 'owner_id = demarc_tenant()', 'owner_id = demarc_tenant()'),
            ('ip_pool', 'owner_id = demarc_tenant()', 'owner_id = demarc_tenant()'),
            ('command', 'tenant_id = demarc_tenant() OR owner_id = demarc_tenant()', 'tenant_id = demarc_tenant() OR owner_id = demarc_tenant()'),
            ('service', 'tenant_id = demarc_tenant() OR owner_id = demarc_tenant()', 'tenant_id = demarc_tenant() OR owner_id = demarc_tenant()'),
            ('service_transition', 'tenant_id = demarc_tenant() OR owner_id = demarc_tenant()', 'tenant_id = demarc_tenant() OR owner_id = demarc_tenant()'),
            ('snapshot_cursor', 'tenant_id = demarc_tenant()', 'tenant_id = demarc_tenant()'),
            ('olt', 'owner_id IN (SELECT demarc_owners())', 'owner_id = demarc_tenant()'),
            ('pon', 'owner_id IN (SELECT demarc_owners())', 'owner_id = demarc_tenant()'),
            ('onu_service', 'tenant_id = demarc_tenant() OR owner_id = demarc_tenant()', 'tenant_id = demarc_tenant() OR owner_id = demarc_tenant()'),
            ('onu', 'owner_id = demarc_tenant() OR id IN (SELECT s.onu_id FROM onu_service s WHERE s.tenant_id = demarc_tenant() AND s.until IS NULL)', 'owner_id = demarc_tenant()'),
            ('onu_port', 'owner_id = demarc_tenant() OR onu_id IN (SELECT s.onu_id FROM onu_service s WHERE s.tenant_id = demarc_tenant() AND s.until IS NULL)', 'owner_id = demarc_tenant()'),
            ('onu_reading', 'owner_id = demarc_tenant() OR onu_id IN (SELECT s.onu_id FROM onu_service s WHERE s.tenant_id = demarc_tenant() AND s.until IS NULL)', 'owner_id = demarc_tenant()'),
            ('onu_metric', 'owner_id = demarc_tenant()', NULL),
            ('credential', 'tenant_id = demarc_tenant() OR owner_id = demarc_tenant()', 'tenant_id = demarc_tenant() OR owner_id = demarc_tenant()'),
            ('ip_address', 'owner_id IN (SELECT demarc_owners())', 'owner_id IN (SELECT demarc_owners())'),
            ('auth_attempt', 'tenant_id = demarc_tenant() OR owner_id = demarc_tenant()', NULL),
            ('session_live', 'tenant_id = demarc_tenant() OR owner_id = demarc_tenant()', NULL),
            ('session_closed', 'tenant_id = demarc_tenant() OR owner_id = demarc_tenant()', NULL),
            ('usage_daily', 'tenant_id = demarc_tenant() OR owner_id = demarc_tenant()', NULL),
            ('accounting_quarantine', 'owner_id = demarc_tenant()', NULL),
            ('customer_contact', 'EXISTS (SELECT 1 FROM customer c WHERE c.id = customer_id)', 'EXISTS (SELECT 1 FROM customer c WHERE c.id = customer_id)'),
            ('consent', 'EXISTS (SELECT 1 FROM customer c WHERE c.id = customer_id)', 'EXISTS (SELECT 1 FROM customer c WHERE c.id = customer_id)'),
            -- for the system's role alone
            ('change', NULL, NULL),
            ('person', NULL, NULL)
        ) AS t (name, sees, writes)
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', rule.name);
        EXECUTE format('CREATE POLICY system ON %I TO demarc_system USING (true) WITH CHECK (true)', rule.name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO demarc_system', rule.name);
        IF rule.sees IS NOT NULL THEN
            EXECUTE format('GRANT SELECT ON %I TO demarc_app', rule.name);
            EXECUTE format('CREATE POLICY sees ON %I FOR SELECT TO demarc_app USING (%s)', rule.name, rule.sees);
        END IF;
        IF rule.writes IS NOT NULL THEN
            EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %I TO demarc_app', rule.name);
            EXECUTE format('CREATE POLICY inserts ON %I FOR INSERT TO demarc_app WITH CHECK (%s)', rule.name, rule.writes);
            EXECUTE format('CREATE POLICY updates ON %I FOR UPDATE TO demarc_app USING (%s) WITH CHECK (%s)', rule.name, rule.sees, rule.writes);
            EXECUTE format('CREATE POLICY deletes ON %I FOR DELETE TO demarc_app USING (%s)', rule.name, rule.writes);
        END IF;
    END LOOP;
END
$$;

GRANT EXECUTE ON FUNCTION demarc_tenant() TO demarc_app, demarc_system;

-- Days and months ahead; the worker keeps them so.
DO $$
BEGIN
    PERFORM demarc_ensure_partitions('audit', 'month', current_date, current_date + 62);
    PERFORM demarc_ensure_partitions('onu_metric', 'day', current_date - 1, current_date + 30);
    PERFORM demarc_ensure_partitions('auth_attempt', 'day', current_date - 1, current_date + 30);
    PERFORM demarc_ensure_partitions('session_closed', 'month', current_date - 62, current_date + 62);
    PERFORM demarc_ensure_partitions('usage_daily', 'month', current_date - 62, current_date + 62);
END
$$;
