"""scikit-learn's tests of other things that go through a search, run against ours."""

from .substitution import ported_tests

SEARCHES = {
    "sklearn.decomposition.tests.test_kernel_pca": ["test_gridsearch_pipeline_precomputed"],
    "sklearn.ensemble.tests.test_bagging": ["test_gridsearch"],
    "sklearn.ensemble.tests.test_voting": ["test_gridsearch"],
    "sklearn.feature_extraction.tests.test_text": ["test_vectorizer_pipeline_grid_selection"],
    "sklearn.impute.tests.test_impute": ["test_imputation_pipeline_grid_search"],
    "sklearn.linear_model.tests.test_coordinate_descent": ["test_enet_cv_grid_search"],
    "sklearn.linear_model.tests.test_logistic": [
        "test_LogisticRegressionCV_GridSearchCV_elastic_net"
    ],
    "sklearn.linear_model.tests.test_ridge": ["test_ridgecv_sample_weight"],
    "sklearn.metrics.tests.test_score_objects": [
        "test_check_scoring_gridsearchcv",
        "test_raises_on_score_list",
    ],
    "sklearn.model_selection.tests.test_split": ["test_nested_cv"],
    "sklearn.model_selection.tests.test_validation": [
        "test_gridsearchcv_cross_val_predict_with_method",
    ],
    "sklearn.neighbors.tests.test_kde": ["test_kde_pipeline_gridsearch"],
    "sklearn.tests.test_base": ["test_is_classifier", "test_is_clusterer", "test_is_regressor"],
    "sklearn.tests.test_multiclass": ["test_ecoc_gridsearch", "test_ovr_gridsearch"],
    "sklearn.tests.test_multioutput": ["test_multi_output_predict_proba"],
    "sklearn.utils.tests.test_parallel": ["test_dispatch_config_parallel"],
}


def searched_elsewhere():
    """The tests by name, with that of their module in it: several are called `test_gridsearch`."""
    found = {}
    for module, names in SEARCHES.items():
        tests = ported_tests(module, {}, only=names.__contains__)
        if set(tests) != set(names):
            raise LookupError(f"{module} has not all of {names}.")
        about = module.rpartition("test_")[2]
        found |= {name.replace("test_", f"test_{about}_", 1): tests[name] for name in tests}
    return found


globals().update(searched_elsewhere())
