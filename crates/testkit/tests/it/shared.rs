//! What tests have to themselves on the shared broker and the shared Redis.

use redis::AsyncCommands as _;
use tintype_testkit::{provided, rabbitmq::TestVhost, redis::RedisPrefix};

async fn vhost_status(vhost: &TestVhost, name: &str) -> u16 {
    let path = format!("/api/vhosts/{name}");
    let answer = vhost.management().ask("GET", &path, "").await;
    answer.expect("the management answers").status
}

#[tokio::test]
async fn two_virtual_hosts_do_not_see_each_other_and_go_away_although_in_use() {
    let (one, other) = tokio::join!(TestVhost::create(), TestVhost::create());
    let connect = |url: String| async move {
        let connection = lapin::Connection::connect(&url, Default::default()).await;
        connection.expect("a connection")
    };
    let in_one = connect(one.url().to_owned()).await;
    let channel = in_one.create_channel().await.expect("a channel");
    let declare = channel.queue_declare("photos".into(), Default::default(), Default::default());
    declare.await.expect("a queue");
    let in_other = connect(other.url().to_owned()).await;
    let channel = in_other.create_channel().await.expect("a channel");
    let look = lapin::options::QueueDeclareOptions {
        passive: true,
        ..Default::default()
    };
    let seen = channel.queue_declare("photos".into(), look, Default::default());
    assert!(seen.await.is_err());

    let name = one.name().to_owned();
    assert_eq!(vhost_status(&other, &name).await, 200);
    drop(one);
    assert_eq!(vhost_status(&other, &name).await, 404);
}

#[tokio::test]
async fn keys_of_a_prefix_go_away_and_others_stay() {
    let client = redis::Client::open(provided::redis_url()).expect("a URL");
    let mut connection = client
        .get_multiplexed_async_connection()
        .await
        .expect("a connection");
    let (mine, other) = (RedisPrefix::create(), RedisPrefix::create());
    let key = |prefix: &RedisPrefix, name: u32| format!("{}{name}", prefix.as_str());
    let (first, last, kept) = (key(&mine, 0), key(&mine, 1999), key(&other, 0));
    for name in 0..2000 {
        let set: Result<(), _> = connection.set(key(&mine, name), name).await;
        set.expect("a key");
    }
    let set: Result<(), _> = connection.set(&kept, 1).await;
    set.expect("a key");

    drop(mine);

    for (key, is_there) in [(&first, false), (&last, false), (&kept, true)] {
        let found: bool = connection.exists(key).await.expect("an answer");
        assert_eq!(found, is_there, "{key}");
    }
}
