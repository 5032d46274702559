# The role with which the gateway calls CloudWatch Logs in one account.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  partition          = data.aws_partition.current.partition
  account_id         = data.aws_caller_identity.current.account_id
  dns_suffix         = data.aws_partition.current.dns_suffix
  regions            = length(var.regions) == 0 ? [data.aws_region.current.region] : var.regions
  gateway_account_id = split(":", var.gateway_role_arn)[4]
  bucket_arns        = formatlist("arn:${local.partition}:s3:::%s", var.bucket_names)
  log_group_arns     = formatlist("arn:${local.partition}:logs:%s:${local.account_id}:log-group:*", local.regions)
  verified           = var.verification == "off" ? [] : [true]
  counted            = var.verification == "count" ? [true] : []
  looked_at          = var.preflight ? [true] : []
}

resource "aws_iam_role" "service" {
  name               = var.name
  description        = "Exports CloudWatch Logs to S3 for log-export-gateway"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "exports" {
  name   = "exports"
  role   = aws_iam_role.service.id
  policy = data.aws_iam_policy_document.exports.json
}

data "aws_iam_policy_document" "trust" {
  statement {
    sid     = "AllowGateway"
    actions = concat(["sts:AssumeRole"], var.scoped_sessions ? ["sts:SetSourceIdentity"] : [], var.eks_session_tags ? ["sts:TagSession"] : [])

    # Its account as the principal and its ARN as a condition: AWS refuses a principal that does not exist
    # yet, and binds a principal to the role's internal id, which changes when the role is created again.
    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${local.gateway_account_id}:root"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:PrincipalArn"
      values   = [var.gateway_role_arn]
    }

    dynamic "condition" {
      for_each = var.external_id == null ? [] : [var.external_id]

      content {
        test     = "StringEquals"
        variable = "sts:ExternalId"
        values   = [condition.value]
      }
    }
  }
}

data "aws_iam_policy_document" "exports" {
  statement {
    sid       = "CreateExportTasks"
    actions   = ["logs:CreateExportTask", "logs:DescribeLogGroups"]
    resources = local.log_group_arns
  }

  # IAM cannot limit these actions to some tasks.
  statement {
    sid       = "FollowExportTasks"
    actions   = ["logs:DescribeExportTasks", "logs:CancelExportTask"]
    resources = ["*"]
  }

  statement {
    sid       = "WriteObjects"
    actions   = ["s3:PutObject"]
    resources = formatlist("%s/*", local.bucket_arns)
  }

  statement {
    sid       = "ReadBucketAcl"
    actions   = ["s3:GetBucketAcl"]
    resources = local.bucket_arns
  }

  dynamic "statement" {
    for_each = length(var.kms_key_arns) == 0 ? [] : [var.kms_key_arns]

    content {
      sid       = "EncryptObjects"
      actions   = ["kms:GenerateDataKey", "kms:Decrypt"]
      resources = statement.value

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = formatlist("s3.%s.${local.dns_suffix}", local.regions)
      }
    }
  }

  # Verification. Without it, jobs complete without a look at S3.
  dynamic "statement" {
    for_each = local.verified

    content {
      sid       = "ListObjects"
      actions   = ["s3:ListBucket"]
      resources = local.bucket_arns
    }
  }

  dynamic "statement" {
    for_each = local.verified

    content {
      sid       = "ReadObjects"
      actions   = ["s3:GetObject"]
      resources = formatlist("%s/*", local.bucket_arns)
    }
  }

  dynamic "statement" {
    for_each = local.verified

    content {
      sid       = "LookForEvents"
      actions   = ["logs:FilterLogEvents"]
      resources = local.log_group_arns
    }
  }

  dynamic "statement" {
    for_each = local.counted

    content {
      sid       = "CountEvents"
      actions   = ["logs:StartQuery"]
      resources = local.log_group_arns
    }
  }

  # IAM cannot limit this action to some queries.
  dynamic "statement" {
    for_each = local.counted

    content {
      sid       = "ReadCounts"
      actions   = ["logs:GetQueryResults"]
      resources = ["*"]
    }
  }

  # Preflight. Each check of a setting that the role may not read is `unknown`.
  dynamic "statement" {
    for_each = local.looked_at

    content {
      sid = "ReadBucketSettings"
      actions = [
        "s3:GetBucketPolicy",
        "s3:GetEncryptionConfiguration",
        "s3:GetBucketOwnershipControls",
        "s3:GetBucketObjectLockConfiguration",
        "s3:GetLifecycleConfiguration",
      ]
      resources = local.bucket_arns
    }
  }

  # The topics and event buses of TARGETS_FILE.
  dynamic "statement" {
    for_each = length(var.sns_topic_arns) == 0 ? [] : [var.sns_topic_arns]

    content {
      sid       = "PublishEvents"
      actions   = ["sns:Publish"]
      resources = statement.value
    }
  }

  dynamic "statement" {
    for_each = length(var.event_bus_arns) == 0 ? [] : [var.event_bus_arns]

    content {
      sid       = "PutEvents"
      actions   = ["events:PutEvents"]
      resources = statement.value
    }
  }

  dynamic "statement" {
    for_each = var.preflight && length(var.kms_key_arns) > 0 ? [var.kms_key_arns] : []

    content {
      sid       = "ReadKeySettings"
      actions   = ["kms:DescribeKey", "kms:GetKeyPolicy"]
      resources = statement.value
    }
  }
}
