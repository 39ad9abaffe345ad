-- Fibre access: OLTs, PONs, ONUs. Where an ONU hangs and whom it serves are dated assignments.

CREATE TABLE olt (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id      uuid NOT NULL,
    network_id    uuid NOT NULL,
    pop_id        uuid,
    name          text NOT NULL,
    vendor        text NOT NULL CHECK (vendor IN ('huawei')),
    model         text,
    address       inet NOT NULL,
    snmp_port     integer NOT NULL DEFAULT 161 CHECK (snmp_port BETWEEN 1 AND 65535),
    community     bytea NOT NULL,
    reach         text NOT NULL DEFAULT 'default',
    poll_interval integer CHECK (poll_interval BETWEEN 5 AND 86400),
    next_poll_at  timestamptz NOT NULL DEFAULT now(),
    last_polled_at timestamptz,
    last_fault    text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (network_id, name),
    UNIQUE (network_id, id),
    FOREIGN KEY (network_id, owner_id) REFERENCES network (id, owner_id),
    FOREIGN KEY (network_id, pop_id) REFERENCES pop (network_id, id)
);
CREATE INDEX olt_due ON olt (next_poll_at);

CREATE TABLE pon (
    id       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id uuid NOT NULL,
    olt_id   uuid NOT NULL REFERENCES olt ON DELETE CASCADE,
    frame    smallint NOT NULL DEFAULT 0,
    slot     smallint NOT NULL,
    port     smallint NOT NULL,
    if_index bigint NOT NULL,
    UNIQUE (olt_id, frame, slot, port),
    UNIQUE (olt_id, if_index)
);

CREATE TABLE onu (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id    uuid NOT NULL,
    network_id  uuid NOT NULL,
    serial      text NOT NULL CHECK (serial = upper(serial)),
    model       text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (network_id, serial),
    FOREIGN KEY (network_id, owner_id) REFERENCES network (id, owner_id)
);

CREATE TABLE onu_port (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner_id  uuid NOT NULL,
    onu_id    uuid NOT NULL REFERENCES onu ON DELETE CASCADE,
    pon_id    uuid NOT NULL REFERENCES pon ON DELETE CASCADE,
    onu_index integer NOT NULL,
    since     timestamptz NOT NULL DEFAULT now(),
    until     timestamptz CHECK (until >= since)
);
CREATE UNIQUE INDEX onu_port_now ON onu_port (onu_id) WHERE until IS NULL;
CREATE UNIQUE INDEX onu_port_taken ON onu_port (pon_id, onu_index) WHERE until IS NULL;

CREATE TABLE onu_service (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner_id   uuid NOT NULL,
    tenant_id  uuid NOT NULL,
    onu_id     uuid NOT NULL REFERENCES onu ON DELETE CASCADE,
    service_id uuid NOT NULL,
    since      timestamptz NOT NULL DEFAULT now(),
    until      timestamptz CHECK (until >= since),
    FOREIGN KEY (tenant_id, service_id) REFERENCES service (tenant_id, id)
);
CREATE UNIQUE INDEX onu_service_now ON onu_service (onu_id) WHERE until IS NULL;
CREATE UNIQUE INDEX onu_service_of ON onu_service (service_id) WHERE until IS NULL;

-- The last reading; what the "cached" status of the APIs shows.
CREATE TABLE onu_reading (
    onu_id          uuid PRIMARY KEY REFERENCES onu ON DELETE CASCADE,
    owner_id        uuid NOT NULL,
    read_at         timestamptz NOT NULL,
    state           text NOT NULL CHECK (state IN ('online', 'offline')),
    last_down_cause text,
    distance_m      integer,
    tx_dbm          double precision,
    rx_dbm          double precision,
    olt_rx_dbm      double precision,
    temperature_c   double precision,
    last_up_at      timestamptz,
    last_down_at    timestamptz
) WITH (fillfactor = 70);

CREATE TABLE onu_metric (
    onu_id        uuid NOT NULL,
    owner_id      uuid NOT NULL,
    at            timestamptz NOT NULL,
    online        boolean NOT NULL,
    tx_dbm        real,
    rx_dbm        real,
    olt_rx_dbm    real,
    temperature_c real,
    distance_m    integer
) PARTITION BY RANGE (at);
CREATE INDEX onu_metric_onu ON onu_metric (onu_id, at);
CREATE INDEX onu_metric_at ON onu_metric USING brin (at);
