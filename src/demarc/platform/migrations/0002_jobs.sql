-- demarc:include procrastinate
-- Jobs are put in the queue by the application's role through this door alone: it may add a job,
-- not read or change those of others.
CREATE FUNCTION demarc_defer(task text, queue text, args jsonb, run_at timestamptz DEFAULT NULL,
                             waiting_lock text DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    new_id bigint;
BEGIN
    INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args, scheduled_at)
    VALUES (queue, task, 0, NULL, waiting_lock, args, run_at)
    ON CONFLICT DO NOTHING
    RETURNING id INTO new_id;
    RETURN new_id;
END
$$;
