//! The world: everything in one place, moved on by one step at a time.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use futures_channel::oneshot;
use tuppence_protocol::ErrorCode;
use tuppence_wallet::ports::NetworkError;

use crate::Outcome;
use crate::auditor::invariants::Invariant;
use crate::auditor::{Auditor, Violation};
use crate::center::CenterProcess;
use crate::chance::Chance;
use crate::coverage::Coverage;
use crate::device::{Device, Records};
use crate::fixture::{self, READER_PURSES, SHOPS, START};
use crate::kernel::{Answer, Kernel, Owner, Party, Reply, Time, Wish, Wishes, lock, wait};
use crate::person::{self, Habits, Rest};
use crate::reader::{Notes, Reader};
use crate::restores::BackUp;
use crate::rogue::Rogue;
use crate::shop::{self, ShopProcess};
use crate::trace::Trace;
use crate::weather::Weather;

/// Pool of sequences for devices: the same wallet keys in many runs, so that each envelope is opened once.
const POOL: u64 = 128;

/// What happens at its time.
pub enum Event {
    /// A request arrives.
    Deliver(u64),
    /// A reply arrives.
    Arrive(u64, Reply),
    /// The sender's patience ends.
    Expire(u64),
    /// Somebody has waited long enough.
    Wake(oneshot::Sender<()>),
    /// The center does what waits.
    Serve,
    /// The center comes back.
    CenterUp,
    /// The center's patience with held messages may have ended.
    Release,
    /// The center looks for steps to end.
    Sweep,
    /// The operator does something.
    Operate,
    /// The rogue does something.
    Mischief,
    /// A shop comes back.
    ShopUp(usize),
    /// A tab is opened.
    TabUp(usize, usize),
    /// A reader comes back.
    ReaderUp(usize),
    /// A link works again.
    LinkUp(Party, Party),
    /// A device has network, or room, again.
    DeviceUp(usize),
    /// A clock is set right.
    ClockRight(Party),
}

/// A request under way.
pub struct Flight {
    from: Party,
    to: Option<Party>,
    path: String,
    body: Option<Vec<u8>>,
    answer: Option<Answer>,
    /// When the last message between these two was to arrive.
    due: u64,
}

/// Everybody and everything.
pub struct World {
    pub(crate) kernel: Kernel<Event>,
    pub(crate) chance: Chance,
    pub(crate) weather: Weather,
    pub(crate) center: CenterProcess,
    pub(crate) shops: Vec<ShopProcess>,
    pub(crate) devices: Vec<Rc<Device>>,
    /// Whose device it is, and her habits.
    pub(crate) habits: Vec<Rc<Habits>>,
    pub(crate) tabs: Vec<usize>,
    pub(crate) readers: Vec<Rc<Reader>>,
    pub(crate) old_notes: BTreeMap<usize, Notes>,
    pub(crate) rogue: Rogue,
    pub(crate) auditor: Auditor,
    pub(crate) coverage: Coverage,
    pub(crate) trace: Trace,
    pub(crate) cut: BTreeSet<(Party, Party)>,
    pub(crate) offline: BTreeSet<usize>,
    /// When the last request that spends from a budget comes to its shop.
    pub(crate) last_spending: u64,
    pub(crate) snapshots: BTreeMap<usize, Records>,
    pub(crate) back_ups: Vec<BackUp>,
    pub(crate) references: Vec<tuppence_server::center::Command>,
    /// Whether things still go wrong.
    pub(crate) stormy: bool,
    pub(crate) serving: bool,
    pub(crate) steps: u64,
    flights: BTreeMap<u64, Flight>,
    next_flight: u64,
    wishes: Wishes,
    time: Time,
    pub(crate) rests: Rc<RefCell<Vec<(usize, Rest)>>>,
}

impl World {
    /// The world of `seed`, at its beginning.
    pub fn new(seed: u64, verbose: bool) -> Self {
        let mut chance = Chance::new(seed);
        let weather = Weather::draw(&mut chance);
        let time = Time::new(START);
        let wishes = Wishes::default();
        let center = CenterProcess::new(time.clock(), chance.branch());
        let shops: Vec<ShopProcess> = (0..SHOPS.len())
            .map(|index| ShopProcess::new(index, time.clock(), wishes.clone(), chance.branch()))
            .collect();
        let rogue = Rogue::new(chance.branch(), weather.restores > 0);
        let mut world = World {
            kernel: Kernel::new(time.clone()),
            chance,
            weather,
            center,
            shops,
            devices: Vec::new(),
            habits: Vec::new(),
            tabs: Vec::new(),
            readers: Vec::new(),
            old_notes: BTreeMap::new(),
            rogue,
            auditor: Auditor::default(),
            coverage: Coverage::default(),
            trace: Trace::new(verbose),
            cut: BTreeSet::new(),
            offline: BTreeSet::new(),
            last_spending: 0,
            snapshots: BTreeMap::new(),
            back_ups: Vec::new(),
            references: Vec::new(),
            stormy: true,
            serving: false,
            steps: 0,
            flights: BTreeMap::new(),
            next_flight: 0,
            wishes,
            time,
            rests: Rc::default(),
        };
        world.furnish();
        world
    }

    /// Purses of the rogue's, sellers with money, people with devices.
    fn furnish(&mut self) {
        let purses = fixture::purses(&self.center.center);
        let stored = self.center.disk.look(|store| tuppence_server::store::Store::commit(store, purses));
        stored.expect("an empty store takes the fixture");
        self.begin_trade();
        for index in 0..self.shops.len() {
            self.start_shop(index);
        }
        let people = self.chance.between(2, self.weather.people_max);
        let first = self.chance.below(POOL);
        for person in 0..people {
            let habits = Rc::new(Habits::default());
            habits.pause_max.set(self.weather.pause_max);
            let devices = if self.chance.happens(250) { 2 } else { 1 };
            if devices == 2 {
                self.coverage.note("two_devices");
            }
            for device in 0..devices {
                let index = self.devices.len();
                let chance = Chance::new((first + person * 2 + device) % POOL);
                self.devices.push(Device::new(index, self.time.clock(), chance, self.wishes.clone()));
                self.habits.push(habits.clone());
                let tabs = if self.chance.happens(350) { 2 } else { 1 };
                if tabs == 2 {
                    self.coverage.note("two_tabs");
                }
                self.tabs.push(tabs);
                for tab in 0..tabs {
                    let delay = self.chance.between(0, 3_000);
                    self.kernel.schedule(delay, Event::TabUp(index, tab));
                }
            }
        }
        for index in 0..self.chance.place(READER_PURSES.len() + 1) {
            let (chance, wishes, pause) = (self.chance.branch(), self.wishes.clone(), self.weather.pause_max);
            self.readers.push(Reader::new(index, self.time.clock(), chance, wishes, pause));
            let delay = self.chance.between(0, 3_000);
            self.kernel.schedule(delay, Event::ReaderUp(index));
        }
        for (delay, event) in [
            (30_000, Event::Sweep),
            (4_000, Event::Operate),
            (6_000, Event::Mischief),
            (5_000, Event::Release),
        ] {
            self.kernel.schedule(delay, event);
        }
    }

    /// One step: somebody's turn, or the next thing that happens. False when there is nothing more.
    pub fn step(&mut self) -> bool {
        self.steps += 1;
        if self.stormy && self.chance.happens(self.weather.faults) {
            self.fault();
        }
        if self.stormy && self.weather.restores > 0 && self.chance.happens(self.weather.restores) {
            self.back_up_or_put_back();
        }
        let ready = self.kernel.ready();
        let due = self.kernel.next_at().is_some_and(|at| at <= self.kernel.now());
        if ready > 0 && !(due && self.chance.happens(500)) {
            let place = self.chance.place(ready);
            if let Some((task, owner)) = self.kernel.run(place) {
                self.trace.line(self.steps, || format!("turn of {owner:?} {task}"), &[task]);
                self.grant(owner);
            }
        } else {
            match self.kernel.happen() {
                Some(event) => self.happen(event),
                None if ready == 0 => return false,
                None => {}
            }
        }
        self.look_at_devices();
        true
    }

    /// How many steps were made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// What the run has led to.
    pub fn outcome(mut self, seed: u64) -> Outcome {
        self.coverage.checked(&self.auditor.checked);
        let violation = self.auditor.violation.take().map(|violation| (self.steps, violation));
        Outcome { seed, steps: self.steps, hash: self.trace.hash(), violation, coverage: self.coverage }
    }

    /// The first invariant that did not hold.
    pub fn violation(&self) -> Option<&Violation> {
        self.auditor.violation.as_ref()
    }

    /// What tasks have wished for.
    fn grant(&mut self, owner: Owner) {
        let wishes = std::mem::take(&mut *lock(&self.wishes));
        for wish in wishes {
            match wish {
                Wish::Send { from, to, path, body, patience, answer } => {
                    self.send(from, to, path, body, patience, Some(answer));
                }
                Wish::Wait(millis, done) => self.kernel.schedule(millis, Event::Wake(done)),
                Wish::Spawn(work) => {
                    self.kernel.spawn(owner, work);
                }
                Wish::Answer(flight, reply) => {
                    if let (Owner::Shop(shop), Some(asked)) = (owner, self.flights.get(&flight)) {
                        self.auditor.shop_answers(shop, &asked.path, asked.body.as_deref(), &reply);
                        let store = (self.shops[shop].store(), self.shops[shop].time.shown());
                        self.auditor.till_answers(shop, &asked.path, asked.body.as_deref(), &reply, store);
                        self.note_delivery(flight, &reply);
                    }
                    self.reply(flight, reply);
                }
            }
        }
    }

    fn note_delivery(&mut self, flight: u64, reply: &Reply) {
        let path = self.flights.get(&flight).map_or("", |flight| flight.path.as_str());
        match (path, reply.status) {
            ("purchase/deliver" | "articles/open", 200) => self.coverage.note("article_delivered"),
            ("payword/buy" | "vendor-scrip/buy", 200) => self.coverage.note("article_from_a_budget"),
            ("earn/deliver", 200) => self.coverage.note("reward_thanked"),
            _ => {}
        }
    }

    /// What was seen on devices since the last step.
    fn look_at_devices(&mut self) {
        for index in 0..self.devices.len() {
            let device = self.devices[index].clone();
            let seen = std::mem::take(&mut *device.seen.borrow_mut());
            for seen in seen {
                let records = device.records.borrow();
                match seen {
                    crate::device::Seen::Wrote => self.auditor.wrote(index, &records),
                    crate::device::Seen::Sends(to, path, body) => {
                        self.auditor.sends(index, to, &path, &body, &records);
                    }
                    crate::device::Seen::Did(deed) => {
                        self.trace.line(self.steps, || format!("device {index}: {deed:?}"), &[]);
                        self.auditor.did(index, &deed, &records);
                        drop(records);
                        self.note_deed(&deed);
                    }
                }
            }
        }
    }

    /// Sends a request on its way.
    pub(crate) fn send(
        &mut self,
        from: Party,
        to: Option<Party>,
        path: String,
        body: Option<Vec<u8>>,
        patience: u64,
        answer: Option<Answer>,
    ) {
        self.next_flight += 1;
        let id = self.next_flight;
        self.one_writer(from, &path, body.as_deref());
        if let (Some(to), Some(body)) = (to, &body)
            && from != Party::Rogue
        {
            self.rogue.sees(to, &path, body);
        }
        let latency = self.weather.latency(&mut self.chance);
        let now = self.kernel.now();
        let due = now + latency;
        let overtaken =
            self.flights.values().rev().take(6).any(|other| {
                other.answer.is_some() && other.from == from && other.to == to && other.due > due
            });
        if overtaken {
            self.coverage.note("messages_reordered");
        }
        self.trace.line(self.steps, || format!("{from:?} -> {to:?} {path} as {id}"), &[id, latency]);
        self.trace.bytes(body.as_deref().unwrap_or_default());
        let money = ["payment", "payment/finish", "issue", "issue/finish", "vendor-scrip/buy"];
        let money = money.contains(&path.as_str());
        let spends = path == "payword/buy" || path == "vendor-scrip/buy";
        self.flights.insert(id, Flight { from, to, path, body, answer, due });
        self.kernel.schedule(patience, Event::Expire(id));
        let Some(to) = to else { return self.fail(id, NetworkError::Unreachable) };
        if let Party::Device(device, _) = from
            && self.offline.contains(&device)
        {
            return self.fail(id, NetworkError::Offline);
        }
        if self.cut.contains(&link(from, to)) {
            // Some networks say so, others swallow everything.
            if self.chance.happens(500) {
                self.fail(id, NetworkError::Unreachable);
            }
            return;
        }
        if self.stormy && self.chance.happens(self.weather.loss) {
            return self.coverage.note("request_lost");
        }
        if money && matches!(from, Party::Device(..)) {
            self.cut_after(from, to);
        }
        let mut latency = latency;
        if self.stormy && self.chance.happens(self.weather.late) {
            latency += self.chance.between(patience, patience + 3_600_000);
            self.coverage.note("request_late");
        }
        if spends {
            self.last_spending = self.last_spending.max(now + latency);
        }
        self.kernel.schedule(latency, Event::Deliver(id));
        if self.stormy && self.chance.happens(self.weather.doubled) {
            self.coverage.note("request_doubled");
            let again = latency + self.chance.between(0, 20_000);
            self.kernel.schedule(again, Event::Deliver(id));
        }
    }

    /// Of a device's tabs one has a message about money under way.
    fn one_writer(&mut self, from: Party, path: &str, body: Option<&[u8]>) {
        let Party::Device(device, tab) = from else { return };
        let money = |path: &str| {
            ["issue", "payment", "issue/finish", "payment/finish", "registration", "vendor-scrip/buy"]
                .contains(&path)
        };
        if body.is_none() || !money(path) {
            return;
        }
        let other = self.flights.values().rev().take(40).find(|flight| {
            matches!(flight.from, Party::Device(of, other) if of == device && other != tab)
                && money(&flight.path)
                && flight.answer.as_ref().is_some_and(|answer| !answer.is_canceled())
        });
        let holds = other.is_none();
        self.auditor
            .check(Invariant::OneWriter, holds, || format!("two tabs of device {device} are at {path}"));
    }

    /// There is no answer to come.
    fn fail(&mut self, flight: u64, error: NetworkError) {
        if let Some(answer) = self.flights.get_mut(&flight).and_then(|flight| flight.answer.take()) {
            drop(answer.send(Err(error)));
        }
    }

    /// Sends a reply back.
    pub(crate) fn reply(&mut self, flight: u64, reply: Reply) {
        self.trace.line(
            self.steps,
            || format!("{flight} is answered {}: {}", reply.status, short(&reply.body)),
            &[flight, u64::from(reply.status)],
        );
        self.trace.bytes(&reply.body);
        if reply.status != 200
            && let Ok(body) = serde_json::from_slice::<tuppence_protocol::ErrorBody>(&reply.body)
        {
            self.coverage.refusal(body.code);
            let fault = body.code == ErrorCode::Fault;
            self.auditor.check(Invariant::NoFaults, !fault, || body.message);
        }
        let Some(asked) = self.flights.get(&flight) else { return };
        if asked.from == Party::Rogue {
            self.rogue.hears(&reply);
        }
        let cut = asked.to.is_some_and(|to| self.cut.contains(&link(asked.from, to)));
        if cut || self.stormy && self.chance.happens(self.weather.loss) {
            return self.coverage.note("reply_lost");
        }
        let latency = self.weather.latency(&mut self.chance);
        self.kernel.schedule(latency, Event::Arrive(flight, reply));
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Deliver(flight) => self.deliver(flight),
            Event::Arrive(flight, reply) => {
                self.trace.line(self.steps, || format!("{flight} hears its answer"), &[flight, 1]);
                if let Some(answer) = self.flights.get_mut(&flight).and_then(|flight| flight.answer.take()) {
                    drop(answer.send(Ok(reply)));
                }
            }
            Event::Expire(flight) => self.fail(flight, NetworkError::Timeout),
            Event::Wake(done) => drop(done.send(())),
            Event::Serve => self.serve(),
            Event::CenterUp => self.center_up(),
            Event::Release => {
                self.center.release(self.kernel.now());
                self.serve_soon();
                self.kernel.schedule(5_000, Event::Release);
            }
            Event::Sweep => self.sweep(),
            Event::Operate => self.operate(),
            Event::Mischief => self.mischief(),
            Event::ShopUp(shop) => {
                if self.shops[shop].running().is_none() {
                    self.start_shop(shop);
                }
            }
            Event::TabUp(device, tab) => self.open_tab(device, tab),
            Event::ReaderUp(reader) => {
                let owner = Owner::Reader(reader);
                if self.stormy && self.kernel.count(owner) == 0 {
                    self.kernel.spawn(owner, Box::pin(self.readers[reader].clone().live()));
                }
            }
            Event::LinkUp(one, other) => {
                self.cut.remove(&(one, other));
            }
            Event::DeviceUp(device) => {
                self.offline.remove(&device);
                self.devices[device].full.set(false);
            }
            Event::ClockRight(party) => self.set_clock(party, 0),
        }
    }

    /// A request arrives, perhaps for the second time.
    fn deliver(&mut self, flight: u64) {
        let Some(Flight { to: Some(to), path, body, .. }) = self.flights.get(&flight) else { return };
        let (to, path, body) = (*to, path.clone(), body.clone());
        self.trace.line(self.steps, || format!("{flight} arrives"), &[flight, 2]);
        match to {
            Party::Center if self.center.is_up() => match self.center.take(flight, &path, body) {
                Some(reply) => self.reply(flight, reply),
                None => self.serve_soon(),
            },
            Party::Shop(shop) if self.shops[shop].running().is_some() => {
                let Some(running) = self.shops[shop].running() else { return };
                self.auditor.shop_hears(shop, &path, body.as_deref().unwrap_or_default());
                let wishes = self.wishes.clone();
                // Between what is kept and the answer there is time to die.
                let slow = if self.chance.happens(100) { self.chance.between(1, 400) } else { 0 };
                let work = async move {
                    let reply = shop::handle(running, path, body).await;
                    if slow > 0 {
                        wait(&wishes, slow).await;
                    }
                    lock(&wishes).push(Wish::Answer(flight, reply));
                };
                self.kernel.spawn(Owner::Shop(shop), Box::pin(work));
            }
            _ => {
                if self.chance.happens(500) {
                    self.fail(flight, NetworkError::Unreachable);
                }
            }
        }
    }

    pub(crate) fn start_shop(&mut self, shop: usize) {
        let running = self.shops[shop].start();
        self.kernel.spawn(Owner::Shop(shop), Box::pin(running.clone().work()));
        self.kernel.spawn(Owner::Shop(shop), Box::pin(running.tend()));
        self.grant(Owner::Shop(shop));
    }

    fn open_tab(&mut self, device: usize, tab: usize) {
        let owner = Owner::Tab(device, tab);
        if !self.stormy || self.kernel.count(owner) > 0 {
            return;
        }
        let life = person::live(
            self.devices[device].clone(),
            tab,
            self.habits[device].clone(),
            self.chance.branch(),
        );
        self.kernel.spawn(owner, Box::pin(life));
    }

    /// Every row of the disk against the books.
    pub(crate) fn disk(&mut self, started: Option<Invariant>) {
        let auditor = &mut self.auditor;
        self.center.disk.look(|store| auditor.disk(store, started));
    }

    pub(crate) fn clock_of(&self, party: Party) -> &Time {
        match party {
            Party::Shop(shop) => &self.shops[shop].time,
            Party::Device(device, _) => &self.devices[device].time,
            Party::Center | Party::Reader(_) | Party::Rogue => &self.center.time,
        }
    }

    pub(crate) fn set_clock(&mut self, party: Party, ahead: i64) {
        self.clock_of(party).set_error(ahead);
    }
}

/// The link between two parties, whichever speaks first; all tabs of a device share it.
pub(crate) fn link(one: Party, other: Party) -> (Party, Party) {
    let whole = |party| match party {
        Party::Device(device, _) => Party::Device(device, 0),
        other => other,
    };
    let (one, other) = (whole(one), whole(other));
    if one < other { (one, other) } else { (other, one) }
}

fn short(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(300).collect()
}
