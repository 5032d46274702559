data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.region
  dns_suffix = data.aws_partition.current.dns_suffix
  bucket_arn = "arn:${local.partition}:s3:::${var.bucket_name}"

  # Outside of amazonaws.com, public sources disagree on the principal of CloudWatch Logs.
  regional_principal = "logs.${local.region}.${local.dns_suffix}"
  logs_principals    = local.dns_suffix == "amazonaws.com" ? [local.regional_principal] : [local.regional_principal, "logs.amazonaws.com"]
  log_group_arns     = formatlist("arn:${local.partition}:logs:${local.region}:%s:log-group:*", var.account_ids)
}

resource "aws_s3_bucket" "exports" {
  bucket = var.bucket_name
}

# Without ACLs, every object belongs to the account of the bucket.
resource "aws_s3_bucket_ownership_controls" "exports" {
  bucket = aws_s3_bucket.exports.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "exports" {
  bucket                  = aws_s3_bucket.exports.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# Exports do not work with DSSE-KMS.
resource "aws_s3_bucket_server_side_encryption_configuration" "exports" {
  bucket = aws_s3_bucket.exports.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.exports.arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "exports" {
  bucket = aws_s3_bucket.exports.id

  # An export that fails leaves parts of objects behind.
  rule {
    id     = "incomplete-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  dynamic "rule" {
    for_each = var.expiration_days == null ? [] : [var.expiration_days]

    content {
      id     = "expiration"
      status = "Enabled"

      filter {}

      expiration {
        days = rule.value
      }
    }
  }
}

resource "aws_s3_bucket_policy" "exports" {
  bucket = aws_s3_bucket.exports.id
  policy = data.aws_iam_policy_document.bucket.json
}

data "aws_iam_policy_document" "bucket" {
  statement {
    sid       = "AllowGetBucketAcl"
    actions   = ["s3:GetBucketAcl"]
    resources = [local.bucket_arn]

    principals {
      type        = "Service"
      identifiers = local.logs_principals
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = var.account_ids
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = local.log_group_arns
    }
  }

  statement {
    sid       = "AllowPutObject"
    actions   = ["s3:PutObject"]
    resources = ["${local.bucket_arn}/*"]

    principals {
      type        = "Service"
      identifiers = local.logs_principals
    }

    condition {
      test     = "StringEquals"
      variable = "s3:x-amz-acl"
      values   = ["bucket-owner-full-control"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = var.account_ids
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = local.log_group_arns
    }
  }

  dynamic "statement" {
    for_each = length(var.service_role_arns) == 0 ? [] : [var.service_role_arns]

    content {
      sid       = "AllowServiceRolesOfOtherAccounts"
      actions   = ["s3:PutObject"]
      resources = ["${local.bucket_arn}/*"]

      principals {
        type        = "AWS"
        identifiers = statement.value
      }

      condition {
        test     = "StringEquals"
        variable = "s3:x-amz-acl"
        values   = ["bucket-owner-full-control"]
      }
    }
  }

  # For verification: a service role of another account needs the permission of the bucket, too.
  dynamic "statement" {
    for_each = length(var.service_role_arns) == 0 ? [] : [var.service_role_arns]

    content {
      sid       = "LetServiceRolesVerify"
      actions   = ["s3:ListBucket", "s3:GetObject"]
      resources = [local.bucket_arn, "${local.bucket_arn}/*"]

      principals {
        type        = "AWS"
        identifiers = statement.value
      }
    }
  }
}

resource "aws_kms_key" "exports" {
  description         = "Encrypts the log exports in ${var.bucket_name}"
  enable_key_rotation = true
  policy              = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "exports" {
  name          = "alias/${replace(var.bucket_name, ".", "-")}"
  target_key_id = aws_kms_key.exports.key_id
}

data "aws_iam_policy_document" "key" {
  # Without this statement, nobody can administer the key, and IAM policies of this account have no effect.
  statement {
    sid       = "EnableIamPolicies"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }

  statement {
    sid       = "AllowCloudWatchLogs"
    actions   = ["kms:GenerateDataKey", "kms:Decrypt"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = local.logs_principals
    }
  }

  dynamic "statement" {
    for_each = length(var.service_role_arns) == 0 ? [] : [var.service_role_arns]

    content {
      sid       = "AllowServiceRolesOfOtherAccounts"
      actions   = ["kms:GenerateDataKey", "kms:Decrypt"]
      resources = ["*"]

      principals {
        type        = "AWS"
        identifiers = statement.value
      }
    }
  }
}
