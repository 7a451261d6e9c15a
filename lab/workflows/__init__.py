"""The templates, blueprints and API prompt, written from one description of the chain: python -m lab.workflows."""
