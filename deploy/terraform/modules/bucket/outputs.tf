output "bucket_name" {
  description = "Name of the bucket, once CloudWatch Logs may write to it."
  value       = aws_s3_bucket_policy.exports.bucket
}

output "kms_key_arn" {
  description = "ARN of the key that encrypts the bucket."
  value       = aws_kms_key.exports.arn
}
