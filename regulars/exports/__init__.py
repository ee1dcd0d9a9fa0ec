"""Exports for BI tools: what is published, as typed files."""

from regulars.exports.export import FORMATS, Export, ExportedFile, export
from regulars.exports.relations import Relation, choose_relations

__all__ = ["FORMATS", "Export", "ExportedFile", "Relation", "choose_relations", "export"]
