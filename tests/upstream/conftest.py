import pytest


@pytest.fixture
def global_random_seed():
    """scikit-learn's fixture; it runs over many seeds there, over its default one here."""
    return 42


def pytest_collection_modifyitems(config, items):
    """Of modules about all of scikit-learn, keep the cases that are about searches."""
    general = ("upstream/test_metadata_routing.py", "upstream/test_delegation.py")
    ours = ("ExhaustiveSearchCV", "SampledSearchCV")
    dropped = [
        item
        for item in items
        if str(item.path).endswith(general) and not any(name in item.name for name in ours)
    ]
    config.hook.pytest_deselected(items=dropped)
    items[:] = [item for item in items if item not in set(dropped)]
