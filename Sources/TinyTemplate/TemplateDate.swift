/// A moment on a wall clock, for `strftime_now`. Whoever renders knows what day it is; the template engine does not.
public struct TemplateDate: Sendable, Equatable {
    public var year: Int
    public var month: Int
    public var day: Int
    public var hour = 0
    public var minute = 0
    public var second = 0

    /// - Returns: nil if there is no such day or time.
    public init?(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        guard (1...9999).contains(year), (1...12).contains(month), (1...31).contains(day), (0..<24).contains(hour),
            (0..<60).contains(minute), (0...60).contains(second)
        else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
        (self.hour, self.minute, self.second) = (hour, minute, second)
        if day > daysInMonth(month) { return nil }
    }

    private var isLeap: Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private func daysInMonth(_ month: Int) -> Int {
        switch month {
        case 2: isLeap ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private var dayOfYear: Int { (1..<month).reduce(day) { $0 + daysInMonth($1) } }

    /// 0 is Sunday.
    private var weekday: Int {
        let before = year - 1
        return (before + before / 4 - before / 100 + before / 400 + dayOfYear) % 7
    }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    private static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    /// One conversion of C's `strftime`, in English; nil for those that are not supported.
    ///
    /// - Parameter padded: false for `%-d` and its like.
    func formatted(_ code: Unicode.Scalar, padded: Bool = true) -> String? {
        func number(_ value: Int, _ width: Int = 2, _ fill: String = "0") -> String {
            let digits = String(value)
            return (padded ? String(repeating: fill, count: max(width - digits.utf8.count, 0)) : "") + digits
        }
        func all(_ codes: String, _ separator: String) -> String {
            codes.unicodeScalars.compactMap { formatted($0) }.joined(separator: separator)
        }
        let month = Self.months[self.month - 1]
        let weekday = Self.weekdays[self.weekday]
        switch code {
        case "Y": return String(year)
        case "y": return number(year % 100)
        case "m": return number(self.month)
        case "d": return number(day)
        case "e": return number(day, 2, " ")
        case "j": return number(dayOfYear, 3)
        case "B": return month
        case "b", "h": return String(month.prefix(3))
        case "A": return weekday
        case "a": return String(weekday.prefix(3))
        case "w": return String(self.weekday)
        case "u": return String(self.weekday == 0 ? 7 : self.weekday)
        case "H": return number(hour)
        case "I": return number((hour + 11) % 12 + 1)
        case "M": return number(minute)
        case "S": return number(second)
        case "p": return hour < 12 ? "AM" : "PM"
        case "F": return all("Ymd", "-")
        case "D", "x": return all("mdy", "/")
        case "T", "X": return all("HMS", ":")
        case "R": return all("HM", ":")
        case "n": return "\n"
        case "t": return "\t"
        case "%": return "%"
        default: return nil
        }
    }
}
