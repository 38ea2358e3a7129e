/**
 * The parameters of PostgreSQL 14 to 18 that a user may set, by the kind of their values. Made from
 * pg_settings; it serves to find slips of the pen, so that a parameter missing here is left to the server.
 */
const PARAMETERS = {
  /** On or off. */
  boolean: words(`
    allow_alter_system allow_in_place_tablespaces allow_system_table_mods array_nulls autovacuum bonjour check_function_bodies
    data_sync_retry debug_pretty_print debug_print_parse debug_print_plan debug_print_rewritten default_transaction_deferrable
    default_transaction_read_only enable_async_append enable_bitmapscan enable_distinct_reordering enable_gathermerge
    enable_group_by_reordering enable_hashagg enable_hashjoin enable_incremental_sort enable_indexonlyscan enable_indexscan
    enable_material enable_memoize enable_mergejoin enable_nestloop enable_parallel_append enable_parallel_hash
    enable_partition_pruning enable_partitionwise_aggregate enable_partitionwise_join enable_presorted_aggregate
    enable_self_join_elimination enable_seqscan enable_sort enable_tidscan escape_string_warning event_triggers exit_on_error
    fsync full_page_writes geqo hot_standby_feedback ignore_checksum_failure ignore_invalid_pages ignore_system_indexes jit
    jit_debugging_support jit_dump_bitcode jit_expressions jit_profiling_support jit_tuple_deforming lo_compat_privileges
    log_checkpoints log_disconnections log_duration log_executor_stats log_hostname log_lock_failures log_lock_waits
    log_parser_stats log_planner_stats log_recovery_conflict_waits log_replication_commands log_statement_stats
    log_truncate_on_rotation md5_password_warnings parallel_leader_participation quote_all_identifiers
    remove_temp_files_after_crash restart_after_crash row_security send_abort_for_crash send_abort_for_kill
    standard_conforming_strings summarize_wal sync_replication_slots synchronize_seqscans syslog_sequence_numbers
    syslog_split_messages trace_connection_negotiation trace_notify trace_sort track_activities track_commit_timestamp
    track_cost_delay_timing track_counts track_io_timing track_wal_io_timing transaction_deferrable transaction_read_only
    transform_null_equals update_process_title vacuum_truncate wal_init_zero wal_receiver_create_temp_slot wal_recycle
    zero_damaged_pages
  `),
  /** A whole number. */
  integer: words(`
    autovacuum_analyze_threshold autovacuum_freeze_max_age autovacuum_max_workers autovacuum_multixact_freeze_max_age
    autovacuum_vacuum_cost_limit autovacuum_vacuum_insert_threshold autovacuum_vacuum_max_threshold autovacuum_vacuum_threshold
    autovacuum_worker_slots bgwriter_lru_maxpages commit_delay commit_siblings debug_discard_caches default_statistics_target
    effective_io_concurrency extra_float_digits from_collapse_limit geqo_effort geqo_generations geqo_pool_size geqo_threshold
    gin_fuzzy_search_limit io_max_concurrency io_workers join_collapse_limit log_file_mode maintenance_io_concurrency
    max_active_replication_origins max_connections max_files_per_process max_locks_per_transaction max_logical_replication_workers
    max_notify_queue_pages max_parallel_apply_workers_per_subscription max_parallel_maintenance_workers max_parallel_workers
    max_parallel_workers_per_gather max_pred_locks_per_page max_pred_locks_per_relation max_pred_locks_per_transaction
    max_prepared_transactions max_replication_slots max_sync_workers_per_subscription max_wal_senders max_worker_processes
    reserved_connections scram_iterations superuser_reserved_connections tcp_keepalives_count unix_socket_permissions
    vacuum_cost_limit vacuum_cost_page_dirty vacuum_cost_page_hit vacuum_cost_page_miss vacuum_defer_cleanup_age
    vacuum_failsafe_age vacuum_freeze_min_age vacuum_freeze_table_age vacuum_multixact_failsafe_age
    vacuum_multixact_freeze_min_age vacuum_multixact_freeze_table_age
  `),
  /** A number. */
  number: words(`
    autovacuum_analyze_scale_factor autovacuum_vacuum_insert_scale_factor autovacuum_vacuum_scale_factor bgwriter_lru_multiplier
    checkpoint_completion_target cpu_index_tuple_cost cpu_operator_cost cpu_tuple_cost cursor_tuple_fraction geqo_seed
    geqo_selection_bias hash_mem_multiplier jit_above_cost jit_inline_above_cost jit_optimize_above_cost log_statement_sample_rate
    log_transaction_sample_rate parallel_setup_cost parallel_tuple_cost random_page_cost recursive_worktable_factor seq_page_cost
    vacuum_max_eager_freeze_failure_rate
  `),
  /** A size; without a unit in bytes, kB or MB, as the server defines for each. */
  memory: words(`
    autovacuum_work_mem gin_pending_list_limit huge_page_size log_parameter_max_length log_parameter_max_length_on_error
    log_rotation_size log_temp_files logical_decoding_work_mem maintenance_work_mem max_slot_wal_keep_size max_stack_depth
    max_wal_size min_dynamic_shared_memory min_wal_size temp_file_limit track_activity_query_size vacuum_buffer_usage_limit
    wal_decode_buffer_size wal_keep_size wal_skip_threshold work_mem
  `),
  /** A size; without a unit in pages of 8 kB. */
  pages: words(`
    backend_flush_after bgwriter_flush_after checkpoint_flush_after commit_timestamp_buffers effective_cache_size io_combine_limit
    io_max_combine_limit min_parallel_index_scan_size min_parallel_table_scan_size multixact_member_buffers
    multixact_offset_buffers notify_buffers serializable_buffers shared_buffers subtransaction_buffers temp_buffers
    transaction_buffers wal_buffers wal_writer_flush_after
  `),
  /** A span of time; without a unit in ms, s or min, as the server defines for each. */
  time: words(`
    archive_timeout authentication_timeout autovacuum_naptime autovacuum_vacuum_cost_delay bgwriter_delay checkpoint_timeout
    checkpoint_warning client_connection_check_interval deadlock_timeout idle_in_transaction_session_timeout
    idle_replication_slot_timeout idle_session_timeout lock_timeout log_autovacuum_min_duration log_min_duration_sample
    log_min_duration_statement log_rotation_age log_startup_progress_interval max_standby_archive_delay
    max_standby_streaming_delay old_snapshot_threshold post_auth_delay pre_auth_delay statement_timeout tcp_keepalives_idle
    tcp_keepalives_interval tcp_user_timeout transaction_timeout vacuum_cost_delay wal_receiver_status_interval
    wal_receiver_timeout wal_retrieve_retry_interval wal_sender_timeout wal_summary_keep_time wal_writer_delay
  `),
  /** Texts and words from a list, which the server checks. log_connections was on or off before version 18. */
  text: words(`
    application_name backslash_quote backtrace_functions bonjour_name bytea_output client_encoding client_min_messages
    compute_query_id constraint_exclusion createrole_self_grant datestyle debug_io_direct debug_logical_replication_streaming
    debug_parallel_query default_table_access_method default_tablespace default_text_search_config default_toast_compression
    default_transaction_isolation dynamic_library_path dynamic_shared_memory_type event_source extension_control_path
    extension_destdir file_copy_method file_extend_method force_parallel_mode huge_pages icu_validation_level intervalstyle
    io_method jit_provider lc_messages lc_monetary lc_numeric lc_time local_preload_libraries log_connections log_directory
    log_error_verbosity log_filename log_line_prefix log_min_error_statement log_min_messages log_statement log_timezone
    oauth_validator_libraries output_plugin_libraries plan_cache_mode recovery_end_command recovery_init_sync_method
    recovery_prefetch restrict_nonsystem_relation_kind search_path session_preload_libraries session_replication_role
    shared_memory_type shared_preload_libraries stats_fetch_consistency synchronized_standby_slots synchronous_commit
    syslog_facility syslog_ident temp_tablespaces timezone timezone_abbreviations track_functions transaction_isolation
    unix_socket_group wal_compression wal_consistency_checking wal_level wal_sync_method xmlbinary xmloption
  `),
};

export type ParameterKind = keyof typeof PARAMETERS;

const KINDS: ReadonlyMap<string, ParameterKind> = new Map(
  kinds().flatMap((kind) => PARAMETERS[kind].map((name) => [name, kind])),
);

/** Null: not a parameter that is known here. */
export function kindOfParameter(name: string): ParameterKind | null {
  return KINDS.get(name) ?? null;
}

export function knownParameters(): Iterable<string> {
  return KINDS.keys();
}

function kinds(): readonly ParameterKind[] {
  return ["boolean", "integer", "number", "memory", "pages", "time", "text"];
}

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
