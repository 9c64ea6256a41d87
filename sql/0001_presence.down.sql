DROP TABLE tombstone, watcher_decision, subscription, publication, resource, lease;
