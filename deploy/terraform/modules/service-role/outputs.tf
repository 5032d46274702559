output "role_arn" {
  description = "ARN of the role, once it has its permissions: the roleArn of a target."
  value       = aws_iam_role.service.arn
  depends_on  = [aws_iam_role_policy.exports]
}
