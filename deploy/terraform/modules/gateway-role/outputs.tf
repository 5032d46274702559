output "role_arn" {
  description = "ARN of the role: the annotation of the service account, or the role of its Pod Identity association."
  value       = aws_iam_role.gateway.arn
}
