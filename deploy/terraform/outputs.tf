output "bucket_name" {
  description = "Name of the bucket: the destination of exports."
  value       = module.bucket.bucket_name
}

output "service_role_arn" {
  description = "ARN of the service role."
  value       = module.service_role.role_arn
}

output "gateway_role_arn" {
  description = "ARN of the role with which the gateway itself runs."
  value       = local.gateway_role_arn
}

output "targets" {
  description = "Content of TARGETS_FILE with one target. Add the external id, if there is one."
  value       = jsonencode([{ name = "default", region = data.aws_region.current.region, roleArn = module.service_role.role_arn }])
}
