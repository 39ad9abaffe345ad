-- Services, their states and how they came by them. The credentials, sessions and devices of a
-- service name it, so that it stands before them here.

CREATE TABLE service (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id      uuid NOT NULL REFERENCES tenant,
    owner_id       uuid NOT NULL,
    network_id     uuid NOT NULL,
    number         bigint NOT NULL,
    customer_id    uuid NOT NULL,
    product_id     uuid NOT NULL,
    premise_id     uuid NOT NULL,
    state          text NOT NULL CHECK (state IN ('pending_installation', 'pending_activation',
                       'active', 'suspended', 'pending_cancellation', 'cancelled')),
    reason         text,
    provisioned_at timestamptz,
    -- under notice: when it ends; kept through a suspension
    cancel_at      timestamptz,
    sales_agent    text,
    isp_reference  text,
    wifi_username  text,
    wifi_password  bytea,
    created_by     uuid,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    changed_xid    xid8 NOT NULL DEFAULT pg_current_xact_id(),
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, number),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customer (tenant_id, id),
    FOREIGN KEY (network_id, product_id) REFERENCES product (network_id, id),
    FOREIGN KEY (network_id, premise_id) REFERENCES premise (network_id, id),
    FOREIGN KEY (network_id, owner_id) REFERENCES network (id, owner_id)
);
CREATE INDEX service_tenant ON service (tenant_id, created_at, id);
CREATE INDEX service_tenant_state ON service (tenant_id, state, created_at, id);
CREATE INDEX service_owner ON service (owner_id, created_at, id);
CREATE INDEX service_owner_state ON service (owner_id, state, created_at, id);
CREATE INDEX service_customer ON service (customer_id);
CREATE INDEX service_premise ON service (premise_id);
CREATE INDEX service_changed ON service (tenant_id, changed_xid);

CREATE FUNCTION demarc_service_touched() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_xid := pg_current_xact_id();
    NEW.updated_at := now();
    RETURN NEW;
END
$$;
CREATE TRIGGER service_touched BEFORE UPDATE ON service
    FOR EACH ROW EXECUTE FUNCTION demarc_service_touched();

CREATE TABLE service_transition (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  uuid NOT NULL,
    owner_id   uuid NOT NULL,
    service_id uuid NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    from_state text,
    to_state   text NOT NULL,
    reason     text,
    actor_kind text NOT NULL,
    actor_id   uuid,
    actor_name text NOT NULL,
    FOREIGN KEY (tenant_id, service_id) REFERENCES service (tenant_id, id)
);
CREATE INDEX service_transition_service ON service_transition (service_id, id);

-- What changed since an ISP last asked: the snapshot it had then.
CREATE TABLE snapshot_cursor (
    tenant_id uuid NOT NULL REFERENCES tenant,
    api       text NOT NULL,
    cursor    pg_snapshot NOT NULL,
    called_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, api)
);

CREATE TRIGGER service_changed AFTER INSERT OR UPDATE OR DELETE ON service
    FOR EACH ROW EXECUTE FUNCTION demarc_log_change('service', 'id', 'tenant_id');
