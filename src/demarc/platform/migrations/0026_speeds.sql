-- How a NAS is told a speed, where its make's way is not the one its configuration wants.
ALTER TABLE nas ADD COLUMN speed_attributes text[] CHECK (cardinality(speed_attributes) <= 16);
