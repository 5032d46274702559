// What @prometheus-io/client measures of each process, and what Prometheus itself adds.
const processMetrics = {
  process_cpu_seconds_total: [],
  process_resident_memory_bytes: [],
  nodejs_eventloop_lag_mean_seconds: [],
  nodejs_eventloop_lag_p99_seconds: [],
  nodejs_heap_size_used_bytes: [],
  nodejs_heap_size_total_bytes: [],
  up: [],
  ALERTS: ['alertname', 'alertstate'],
};

/** The labels of each metric of the gateway, without those that Prometheus adds. */
const knownMetrics: Record<string, readonly string[]> = {
  ...processMetrics,
  http_server_request_duration_seconds: [
    'http_request_method',
    'http_route',
    'http_response_status_code',
  ],
  rpc_client_call_duration_seconds: ['rpc_method', 'error_type'],
  log_export_slots_held: ['holder'],
  log_export_slot_held_seconds_total: ['holder'],
  log_export_hand_off_seconds: [],
  log_export_slices: ['state'],
  log_export_oldest_ready_slice_age_seconds: [],
  log_export_slices_ended_total: ['outcome'],
  log_export_task_duration_seconds: [],
  log_export_creates_without_answer_total: [],
  log_export_creates_reconciled_total: ['result'],
  log_export_orphaned_tasks_total: [],
  log_export_problems_total: ['problem'],
  log_export_targets: ['state'],
  log_export_database_query_duration_seconds: [],
  log_export_database_up: [],
  log_export_audit_lines_lost_total: [],
  log_export_reload_failures_total: ['file'],
  log_export_reload_failed: ['file'],
  log_export_database_gauges_age_seconds: [],
  log_export_target_slot_held: ['target', 'holder'],
  log_export_target_slot_held_seconds_total: ['target', 'holder'],
  log_export_target_slices: ['target', 'state'],
  log_export_target_oldest_ready_slice_age_seconds: ['target'],
  log_export_target_slices_ended_total: ['target', 'outcome'],
  log_export_target_state: ['target', 'state'],
};

/** The labels of a metric, or of the buckets, sum or count of a histogram. Throws if there is none. */
export function labelsOf(metric: string): readonly string[] {
  const histogram = metric.replace(/_(?:bucket|sum|count)$/, '');
  const labels = knownMetrics[metric] ?? knownMetrics[histogram];
  if (!labels) throw new Error(`The gateway has no metric ${metric}`);
  return metric.endsWith('_bucket') ? [...labels, 'le'] : labels;
}
