"""Sample of a shared sheet: client engagement as an operations team types it, with planted spelling and number faults."""

from regulars.sample.engagement.faults import Decision, SheetFault, decisions_before, faults_until
from regulars.sample.engagement.spec import EngagementSpec
from regulars.sample.engagement.write import SHEET_NAME, write_sheet

__all__ = [
    "SHEET_NAME",
    "Decision",
    "EngagementSpec",
    "SheetFault",
    "decisions_before",
    "faults_until",
    "write_sheet",
]
