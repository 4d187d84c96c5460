import pytest


@pytest.fixture
def global_random_seed():
    """scikit-learn's fixture; it runs over many seeds there, over its default one here."""
    return 42
