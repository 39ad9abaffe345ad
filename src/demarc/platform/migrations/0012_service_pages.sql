-- Lists of services are counted, and their later pages found, by index alone: what the policy of
-- row-level security looks at stands in the index too.

DROP INDEX service_tenant, service_tenant_state, service_owner, service_owner_state;
CREATE INDEX service_tenant ON service (tenant_id, created_at, id) INCLUDE (owner_id);
CREATE INDEX service_tenant_state ON service (tenant_id, state, created_at, id) INCLUDE (owner_id);
CREATE INDEX service_owner ON service (owner_id, created_at, id) INCLUDE (tenant_id);
CREATE INDEX service_owner_state ON service (owner_id, state, created_at, id) INCLUDE (tenant_id);
