//! What goes wrong, when the weather says that something does.

use crate::disk::Plan;
use crate::fixture::{ROGUE_VENDOR, SHOPS, vendor_secret};
use crate::kernel::{Owner, Party};
use crate::restores::SECRETS_MAX;
use crate::world::{Event, World, link};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl World {
    /// Something goes wrong.
    pub(crate) fn fault(&mut self) {
        let device = self.chance.place(self.devices.len());
        let shop = self.chance.place(self.shops.len());
        let which = self.chance.below(100);
        self.trace.line(self.steps, || format!("fault {which}, device {device}, shop {shop}"), &[which]);
        match which {
            0..8 => self.center_crash(),
            8..14 => self.plan(Plan::DieBefore),
            14..20 => self.plan(Plan::DieAfter),
            20..24 => self.plan(Plan::Refuse),
            24..30 => self.shop_crash(shop),
            30..50 => self.tab_crash(device),
            50..52 => self.wipe(device),
            52..57 => self.set_back(device),
            57..60 => self.fill_up(device),
            60..65 => self.take_offline(device),
            65..75 => self.cut_link(device, shop),
            75..81 => self.wrong_clock(Party::Device(device, 0)),
            81..84 => self.wrong_clock(Party::Shop(shop)),
            84..91 => self.wrong_center_clock(),
            91..94 => self.long_silence(),
            94..96 => self.rotate(shop),
            96..98 => self.reader_crash(),
            _ => self.reader_set_back(),
        }
    }

    fn center_crash(&mut self) {
        if self.center.is_up() {
            self.coverage.note("center_killed");
            self.kill_center();
            let delay = self.chance.between(50, 2 * MINUTE);
            self.kernel.schedule(delay, Event::CenterUp);
        }
    }

    /// The next commit that writes something meets this.
    fn plan(&mut self, plan: Plan) {
        if self.center.is_up() {
            self.center.disk.plan(plan);
        }
    }

    /// Kills the center where it stands.
    pub(crate) fn kill_center(&mut self) {
        self.trace.line(self.steps, || "the center dies".to_owned(), &[1]);
        self.center.crash();
    }

    fn shop_crash(&mut self, shop: usize) {
        if self.shops[shop].running().is_none() {
            return;
        }
        self.coverage.note("shop_killed");
        self.kernel.end(Owner::Shop(shop));
        self.shops[shop].crash();
        let delay = self.chance.between(100, 5 * MINUTE);
        self.kernel.schedule(delay, Event::ShopUp(shop));
    }

    fn tab_crash(&mut self, device: usize) {
        let tab = self.chance.place(self.tabs[device]);
        let owner = Owner::Tab(device, tab);
        if self.kernel.count(owner) > 0 {
            self.coverage.note("tab_killed");
            self.kernel.end(owner);
            let delay = self.chance.between(1, MINUTE);
            self.kernel.schedule(delay, Event::TabUp(device, tab));
        }
    }

    fn reader_crash(&mut self) {
        let reader = self.chance.place(self.readers.len());
        let owner = Owner::Reader(reader);
        if self.kernel.count(owner) > 0 {
            self.coverage.note("reader_killed");
            self.kernel.end(owner);
            let delay = self.chance.between(1, MINUTE);
            self.kernel.schedule(delay, Event::ReaderUp(reader));
        }
    }

    /// The first time a copy of a reader's notes is made, the second time it is put back: paywords are shown again.
    fn reader_set_back(&mut self) {
        let place = self.chance.place(self.readers.len());
        let Some(reader) = self.readers.get(place).cloned() else { return };
        match self.old_notes.remove(&place) {
            None => {
                self.old_notes.insert(place, reader.notes.borrow().clone());
            }
            Some(notes) => {
                self.coverage.note("reader_set_back");
                self.kernel.end(Owner::Reader(place));
                *reader.notes.borrow_mut() = notes;
                let delay = self.chance.between(1, MINUTE);
                self.kernel.schedule(delay, Event::ReaderUp(place));
            }
        }
    }

    /// Ends every tab of a device, so that its records can be changed behind them.
    fn close(&mut self, device: usize) {
        for tab in 0..self.tabs[device] {
            self.kernel.end(Owner::Tab(device, tab));
            let delay = self.chance.between(1, MINUTE);
            self.kernel.schedule(delay, Event::TabUp(device, tab));
        }
    }

    fn wipe(&mut self, device: usize) {
        self.coverage.note("storage_wiped");
        self.close(device);
        self.auditor.set_back(device);
        self.devices[device].records.borrow_mut().clear();
    }

    /// The first time a copy of the disk is made, the second time it is put back.
    fn set_back(&mut self, device: usize) {
        let records = self.devices[device].records.clone();
        match self.snapshots.remove(&device) {
            None => {
                let copy = records.borrow().clone();
                self.snapshots.insert(device, copy);
            }
            Some(copy) => {
                self.coverage.note("storage_set_back");
                self.close(device);
                self.auditor.set_back(device);
                *records.borrow_mut() = copy;
            }
        }
    }

    fn fill_up(&mut self, device: usize) {
        self.coverage.note("storage_full");
        self.devices[device].full.set(true);
        let delay = self.chance.between(500, 2 * MINUTE);
        self.kernel.schedule(delay, Event::DeviceUp(device));
    }

    fn take_offline(&mut self, device: usize) {
        self.coverage.note("device_offline");
        self.offline.insert(device);
        let delay = self.chance.between(500, 10 * MINUTE);
        self.kernel.schedule(delay, Event::DeviceUp(device));
    }

    fn cut_link(&mut self, device: usize, shop: usize) {
        let (one, other) = match self.chance.below(3) {
            0 => link(Party::Device(device, 0), Party::Center),
            1 => link(Party::Device(device, 0), Party::Shop(shop)),
            _ => link(Party::Shop(shop), Party::Center),
        };
        self.coverage.note("link_cut");
        self.cut.insert((one, other));
        let delay = self.chance.between(500, 12 * MINUTE);
        self.kernel.schedule(delay, Event::LinkUp(one, other));
    }

    /// Now and then a link breaks once a message about money has gone: it arrives, and its reply does not.
    pub(crate) fn cut_after(&mut self, from: Party, to: Party) {
        if self.stormy && self.chance.happens(self.weather.faults * 5) {
            self.coverage.note("cut_while_paying");
            let (one, other) = link(from, to);
            self.cut.insert((one, other));
            let delay = self.chance.between(10 * 1_000, 2 * MINUTE);
            self.kernel.schedule(delay, Event::LinkUp(one, other));
        }
    }

    fn wrong_clock(&mut self, party: Party) {
        let name = if matches!(party, Party::Shop(_)) { "shop_clock_wrong" } else { "device_clock_wrong" };
        self.coverage.note(name);
        let most = *self.chance.one(&[5_000, 20 * MINUTE, 2 * DAY]);
        let error = self.chance.between(0, 2 * most).cast_signed() - most.cast_signed();
        self.set_clock(party, error);
        let delay = self.chance.between(MINUTE, 2 * HOUR);
        self.kernel.schedule(delay, Event::ClockRight(party));
    }

    fn wrong_center_clock(&mut self) {
        let most = *self.chance.one(&[30_000, 15 * MINUTE, 6 * DAY]);
        let by = self.chance.between(1, most).cast_signed();
        let before = self.clock_of(Party::Center).error();
        if self.chance.happens(500) {
            self.coverage.note("center_clock_ahead");
            self.set_clock(Party::Center, before + by);
        } else {
            self.coverage.note("center_clock_back");
            self.set_clock(Party::Center, before - by);
        }
        let delay = self.chance.between(1_000, 30 * MINUTE);
        self.kernel.schedule(delay, Event::ClockRight(Party::Center));
    }

    /// Everything sleeps for hours or days, as machines do; whatever was due comes at once afterwards.
    fn long_silence(&mut self) {
        self.coverage.note("long_silence");
        let duration = *self.chance.one(&[11 * MINUTE, 2 * HOUR, DAY, 7 * DAY, 9 * DAY, 40 * DAY]);
        self.kernel.pass_over(duration);
    }

    /// The operator gives a shop a new secret; the shop hears of it when it is started again.
    fn rotate(&mut self, shop: usize) {
        let number = u32::try_from(shop + 1).unwrap_or(u32::MAX);
        let known = self.auditor.books.secrets.get(&number).map_or(0, |ring| ring.len());
        let next = u32::try_from(known + 1).unwrap_or(u32::MAX);
        if known == 0
            || next > SECRETS_MAX
            || !self.center.is_up()
            || number == ROGUE_VENDOR
            || shop >= SHOPS.len()
        {
            return;
        }
        self.coverage.note("shop_secret_rotated");
        let secret = vendor_secret(number, next);
        self.center.operate(tuppence_server::center::Command::AddVendorSecret {
            vendor: number,
            secret: secret.clone(),
        });
        // A secret that is known already was handed over before a crash took the command.
        let _ = self.shops[shop].secrets.add(next, secret);
        self.serve_soon();
        self.shop_crash(shop);
    }
}
