import boto3
from fastapi import FastAPI
from pydantic import BaseModel, Field

# FastAPI and boto3 with their defaults. FastAPI runs a synchronous route in its thread pool.
app = FastAPI()
logs = boto3.client("logs")


class ExportTask(BaseModel):
    taskName: str | None = None
    logGroupName: str
    fromTime: int = Field(alias="from")
    to: int
    destination: str
    destinationPrefix: str | None = None


@app.post("/export-tasks", status_code=201)
def create_export_task(task: ExportTask):
    answer = logs.create_export_task(**task.model_dump(exclude_none=True))
    return {"taskId": answer["taskId"]}
