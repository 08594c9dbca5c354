"""The statistics of several networks against the spread of many draws."""

import numpy as np
import pytest

from utils.compare import network_tables


def test_the_error_over_clouds_is_that_of_the_mean_over_networks_where_clouds_lack_values():
    rng, found = np.random.RandomState(3), []
    for _ in range(3000):
        of_clouds = rng.standard_normal(40)
        values = of_clouds + rng.standard_normal((3, 40)) + [[30], [-20], [0]]
        values[1, 9:], values[2, 30:] = np.nan, np.nan
        by_cloud = network_tables.by_cloud(values)
        found.append([np.nanmean(values, axis=1).mean(), by_cloud.mean(), by_cloud.std(ddof=1) / np.sqrt(40)])
    means, by_cloud, errors = np.transpose(found)
    np.testing.assert_allclose(by_cloud, means, rtol=0, atol=1e-9)
    # The mean varies from draw to draw by as much as each draw says.
    assert np.sqrt((errors**2).mean()) == pytest.approx(means.std(ddof=1), rel=0.06)
    whole = rng.standard_normal((3, 5))
    np.testing.assert_allclose(network_tables.by_cloud(whole), whole.mean(axis=0))
    whole[:, 2], whole[0, 3] = np.nan, np.nan
    assert np.isnan(network_tables.by_cloud(whole)).tolist() == [False, False, True, False, False]
    assert np.isnan(network_tables.by_cloud(np.full((2, 3), np.nan))).all()
