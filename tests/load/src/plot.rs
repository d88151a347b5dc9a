//! The figures as pictures: SVG, light, readable without colour too.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::buyer::Work;
use crate::figures::{Growth, Point, Report, float};

const SIZE: (u32, u32) = (860, 360);
const FONT: &str = "sans-serif";
const TEXT: RGBColor = RGBColor(31, 41, 55);
const GRID: RGBColor = RGBColor(229, 231, 235);
const BLUE: RGBColor = RGBColor(29, 78, 216);
const ORANGE: RGBColor = RGBColor(194, 65, 12);
const GREEN: RGBColor = RGBColor(4, 120, 87);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A line of a chart: its name, its colour, and for each place on the x axis the least, the median and the most.
struct Line {
    name: &'static str,
    color: RGBColor,
    points: Vec<(f64, f64, f64)>,
}

/// What stands on the axes.
struct Axes<'t> {
    title: &'t str,
    x: &'t str,
    places: Vec<String>,
    /// The greatest y, and how it is written.
    top: f64,
    y: fn(&f64) -> String,
}

/// Draws both pictures into `folder`: `load.svg` and `growth.svg`.
///
/// # Errors
/// If a file cannot be written.
pub fn draw(report: &Report, folder: &Path) -> Result<()> {
    let path = folder.join("load.svg");
    let root = SVGBackend::new(&path, SIZE).into_drawing_area();
    fill(&root)?;
    let (left, right) = root.split_horizontally(SIZE.0 / 2);
    rates(report, &left)?;
    times(report, &right)?;
    root.present().map_err(drawing)?;

    let path = folder.join("growth.svg");
    let root = SVGBackend::new(&path, SIZE).into_drawing_area();
    fill(&root)?;
    let (left, right) = root.split_horizontally(SIZE.0 / 2);
    by_purses(report, &left)?;
    cost_by_purses(report, &right)?;
    root.present().map_err(drawing)
}

fn rates(report: &Report, area: &Area<'_>) -> Result<()> {
    let line = |work, name, color| Line { name, color, points: of_work(report, work, |run| run.per_second) };
    let lines = [line(Work::Payments, "payments", BLUE), line(Work::Earnings, "earnings", ORANGE)];
    let axes = Axes {
        title: "Completed each second",
        x: "connections",
        places: connections(report),
        top: top(&lines),
        y: thousands,
    };
    chart(area, &axes, &lines)
}

fn times(report: &Report, area: &Area<'_>) -> Result<()> {
    let line = |name, color, figure: fn(&crate::figures::Run) -> u32| Line {
        name,
        color,
        points: of_work(report, Work::Payments, |run| f64::from(figure(run)) / 1_000.0),
    };
    let lines = [
        line("99.9 %", GREEN, |run| run.total.p99_9),
        line("99 %", ORANGE, |run| run.total.p99),
        line("half", BLUE, |run| run.total.p50),
    ];
    let axes = Axes {
        title: "A payment, both steps, is done within (ms)",
        x: "connections",
        places: connections(report),
        top: top(&lines),
        y: |y| format!("{y:.0}"),
    };
    chart(area, &axes, &lines)
}

fn by_purses(report: &Report, area: &Area<'_>) -> Result<()> {
    let lines = [Line { name: "payments", color: BLUE, points: of_growth(report, |run| run.per_second) }];
    let axes = Axes {
        title: "Payments each second, 64 connections",
        x: "purses in the database",
        places: purses(report),
        top: top(&lines),
        y: thousands,
    };
    chart(area, &axes, &lines)
}

fn cost_by_purses(report: &Report, area: &Area<'_>) -> Result<()> {
    let lines = [
        Line { name: "program", color: BLUE, points: of_growth(report, |run| run.cpu_micros) },
        Line { name: "its committer", color: ORANGE, points: of_growth(report, |run| run.committer_micros) },
    ];
    let axes = Axes {
        title: "Processor time of a payment (µs)",
        x: "purses in the database",
        places: purses(report),
        top: top(&lines),
        y: |y| format!("{y:.0}"),
    };
    chart(area, &axes, &lines)
}

fn chart(area: &Area<'_>, axes: &Axes<'_>, lines: &[Line]) -> Result<()> {
    let places = float(axes.places.len());
    let mut chart = ChartBuilder::on(area)
        .caption(axes.title, (FONT, 16).into_font().color(&TEXT))
        .margin(14)
        .x_label_area_size(42)
        .y_label_area_size(52)
        .build_cartesian_2d(-0.3..places - 0.7, 0.0..axes.top)
        .map_err(drawing)?;
    // The lines of the grid stand at whole places alone, which are the ones that have names.
    let place = |x: &f64| {
        let near = x.round();
        let named = (0_u32..).map(f64::from).zip(&axes.places).find(|(at, _)| (at - near).abs() < 0.5);
        named.filter(|_| (x - near).abs() < 0.01).map_or_else(String::new, |(_, name)| name.clone())
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(TEXT)
        .x_desc(axes.x)
        .x_labels(axes.places.len() * 4)
        .x_label_formatter(&place)
        .y_labels(6)
        .y_label_formatter(&axes.y)
        .label_style((FONT, 13).into_font().color(&TEXT))
        .draw()
        .map_err(drawing)?;
    for line in lines {
        let at = || (0_u32..).map(f64::from).zip(&line.points);
        let style = line.color.stroke_width(2);
        chart
            .draw_series(LineSeries::new(at().map(|(x, (_, median, _))| (x, *median)), style))
            .map_err(drawing)?
            .label(line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        let ranges = at().map(|(x, (least, median, most))| {
            ErrorBar::new_vertical(x, *least, *median, *most, line.color.filled(), 8)
        });
        chart.draw_series(ranges).map_err(drawing)?;
    }
    if lines.len() > 1 {
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.85))
            .label_font((FONT, 13).into_font().color(&TEXT))
            .draw()
            .map_err(drawing)?;
    }
    Ok(())
}

fn of_work(
    report: &Report,
    work: Work,
    figure: impl Fn(&crate::figures::Run) -> f64,
) -> Vec<(f64, f64, f64)> {
    report.load.iter().filter(|point| point.work == work).map(|point| range(point, &figure)).collect()
}

fn of_growth(report: &Report, figure: impl Fn(&crate::figures::Run) -> f64) -> Vec<(f64, f64, f64)> {
    report.growth.iter().map(|growth: &Growth| range(&growth.point, &figure)).collect()
}

fn range(point: &Point, figure: impl Fn(&crate::figures::Run) -> f64) -> (f64, f64, f64) {
    let (least, most) = point.spread(&figure);
    (least, point.median(&figure), most)
}

fn connections(report: &Report) -> Vec<String> {
    let payments = report.load.iter().filter(|point| point.work == Work::Payments);
    payments.map(|point| point.connections.to_string()).collect()
}

fn purses(report: &Report) -> Vec<String> {
    report.growth.iter().map(|growth| thousands(&float(growth.point.purses))).collect()
}

fn top(lines: &[Line]) -> f64 {
    let most = lines.iter().flat_map(|line| &line.points).map(|(_, _, most)| *most);
    most.fold(1.0, f64::max) * 1.15
}

/// `12,000`.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that a label's formatter has")]
pub fn thousands(number: &f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn fill(area: &Area<'_>) -> Result<()> {
    area.fill(&WHITE).map_err(drawing)
}

fn drawing<E: std::error::Error + Send + Sync>(error: DrawingAreaErrorKind<E>) -> anyhow::Error {
    anyhow!("the picture cannot be drawn: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!(thousands(&999.0), "999");
        assert_eq!(thousands(&1_000_000.0), "1,000,000");
    }
}
