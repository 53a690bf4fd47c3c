"""One self-contained page that shows whether distilling helped."""

from semikd.report.facts import ReportFacts
from semikd.report.page import report_page

__all__ = ["ReportFacts", "report_page"]
