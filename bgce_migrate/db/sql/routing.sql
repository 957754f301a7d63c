-- name: standing
-- What a server is and where it stands, for any login: standby, cluster, position, timeline, in this order. A standby's
-- timeline is the newest that it surely replays: its control file is behind, never ahead; the receiver's is hidden
-- from logins without pg_read_all_stats.
SELECT pg_is_in_recovery()::text,
       (SELECT system_identifier::text FROM pg_control_system()),
       ((CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
              ELSE pg_current_wal_insert_lsn() END) - '0/0'::pg_lsn)::text,
       CASE WHEN pg_is_in_recovery()
            THEN greatest((SELECT timeline_id FROM pg_control_checkpoint()),
                          (SELECT min_recovery_end_timeline FROM pg_control_recovery()),
                          (SELECT received_tli FROM pg_stat_wal_receiver))
            ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::integer END::text
