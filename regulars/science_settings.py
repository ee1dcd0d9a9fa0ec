"""What the science of the shop is asked for: the one place of its parameters."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ScienceSettings(BaseModel):
    """Parameters of forecasts, lifetime values and unusual customers; results depend on them, on the data and on nothing else."""

    model_config = ConfigDict(frozen=True)

    horizon_days: int = Field(28, ge=1, le=366, description="Days that sales are forecast.")
    categories: int = Field(20, ge=0, description="Categories with a series of their own; the rest is one series.")
    lifetime_weeks: int = Field(52, ge=1, le=520, description="Weeks whose purchases make up a lifetime value.")
    yearly_discount_rate: float = Field(0.1, gt=-1, description="By which later purchases are worth less.")
    unusual_share: float = Field(0.01, gt=0, le=1, description="Share of customers that is flagged as unusual.")
    seed: int = Field(7, ge=0, lt=2**32, description="Seed of what is drawn by chance.")
