-- Customers and the places they are served at.

CREATE TABLE customer (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- the ISP; null while the customer is of no ISP yet and known to the network's owner alone
    tenant_id     uuid REFERENCES tenant,
    owner_id      uuid REFERENCES tenant,
    kind          text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'company')),
    -- whole, and in parts where it was given so
    name          text NOT NULL CHECK (name <> ''),
    first_name    text,
    last_name     text,
    tax_id_kind   text,
    tax_id        text,
    email         text,
    mobile_number text,
    search        text[] NOT NULL DEFAULT '{}',
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CHECK (tenant_id IS NOT NULL OR owner_id IS NOT NULL),
    UNIQUE (tenant_id, id)
);
CREATE INDEX customer_search ON customer USING gin (search);
CREATE INDEX customer_email ON customer (lower(email));
CREATE INDEX customer_tenant ON customer (tenant_id, created_at, id);
CREATE UNIQUE INDEX customer_tax_id ON customer (tenant_id, tax_id_kind, tax_id) WHERE tax_id IS NOT NULL;

CREATE TABLE customer_contact (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id uuid NOT NULL REFERENCES customer ON DELETE CASCADE,
    kind        text NOT NULL CHECK (kind IN ('email', 'phone', 'mobile', 'whatsapp')),
    value       text NOT NULL,
    label       text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (customer_id, kind, value)
);

CREATE TABLE consent (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id  uuid NOT NULL REFERENCES customer ON DELETE CASCADE,
    -- 'fno': the network's owner may know and contact the customer; 'isp': so may the ISP
    purpose      text NOT NULL CHECK (purpose IN ('fno', 'isp')),
    given_at     timestamptz NOT NULL,
    withdrawn_at timestamptz,
    recorded_by  uuid,
    recorded_at  timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX consent_in_force ON consent (customer_id, purpose) WHERE withdrawn_at IS NULL;

CREATE TABLE address (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id     uuid NOT NULL,
    network_id   uuid NOT NULL,
    full_address text NOT NULL CHECK (full_address <> ''),
    street       text,
    number       text,
    district     text,
    city         text,
    region       text,
    postcode     text,
    country      char(2),
    latitude     double precision CHECK (latitude BETWEEN -90 AND 90),
    longitude    double precision CHECK (longitude BETWEEN -180 AND 180),
    search       text[] NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (network_id, id),
    CHECK ((latitude IS NULL) = (longitude IS NULL)),
    FOREIGN KEY (network_id, owner_id) REFERENCES network (id, owner_id)
);
CREATE INDEX address_search ON address USING gin (search);
CREATE INDEX address_position ON address (latitude, longitude);

CREATE TABLE premise (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id    uuid NOT NULL,
    network_id  uuid NOT NULL,
    address_id  uuid NOT NULL,
    area_id     uuid,
    -- the flat, house or shop within the address
    unit        text,
    -- surveyed by the network's owner ahead of any sale
    predefined  boolean NOT NULL DEFAULT false,
    timezone    text,
    created_by  uuid REFERENCES tenant,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (network_id, id),
    FOREIGN KEY (network_id, owner_id) REFERENCES network (id, owner_id),
    FOREIGN KEY (network_id, address_id) REFERENCES address (network_id, id),
    FOREIGN KEY (network_id, area_id) REFERENCES area (network_id, id)
);
CREATE UNIQUE INDEX premise_unit ON premise (address_id, coalesce(unit, ''));
CREATE INDEX premise_network ON premise (network_id, created_at, id);
